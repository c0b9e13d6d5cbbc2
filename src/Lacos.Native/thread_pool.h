// The own loop runner: workers that spin for a moment between loops and sleep between calls.
//
// Iterations are claimed one by one, by the caller too, and the caller waits for claimed iterations only: a worker that
// the system has taken off its core delays nothing but the iteration that it holds.
#ifndef LACOS_THREAD_POOL_H_
#define LACOS_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "loop_runner.h"

namespace lacos {

class ThreadPool final : public LoopRunner {
 public:
  // thread_count includes the caller. Fewer threads are used where the system refuses more.
  explicit ThreadPool(int thread_count);
  ~ThreadPool() override;

  int thread_count() const override { return static_cast<int>(workers_.size()) + 1; }
  void Run(int iterations, Body body, const void* context) override;

 private:
  void Work(int thread);
  void TakeIterations(int thread);
  bool WaitForLoop(uint32_t& seen);

  // Loop number in the high half, next unclaimed iteration in the low half; kClosed there while a loop is being set up.
  static constexpr uint64_t kClosed = 0xffffffffu;
  alignas(64) std::atomic<uint64_t> ticket_{kClosed};
  alignas(64) std::atomic<int> finished_{0};
  alignas(64) std::atomic<int> iterations_{0};
  std::atomic<Body> body_{nullptr};
  std::atomic<const void*> context_{nullptr};
  alignas(64) std::atomic<int> sleepers_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> workers_;
};

}  // namespace lacos

#endif  // LACOS_THREAD_POOL_H_
