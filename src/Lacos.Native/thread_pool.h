// The own loop runner: workers that spin for a moment between loops and sleep between calls.
//
// Iterations are claimed one by one, by the caller too, and the caller waits for claimed iterations only: a worker that
// the system has taken off its core delays nothing but the iteration that it holds. Each thread begins with a share of
// its own (loop_shares.h).
#ifndef LACOS_THREAD_POOL_H_
#define LACOS_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "loop_runner.h"
#include "loop_shares.h"
#include "process_forks.h"
#include "wake_placement.h"

namespace lacos {

class ThreadPool final : public LoopRunner {
 public:
  // thread_count includes the caller. Fewer threads are used where the system refuses more.
  explicit ThreadPool(int thread_count);
  ~ThreadPool() override;

  int thread_count() const override { return static_cast<int>(workers_.size()) + 1; }
  void Run(int iterations, Body body, const void* context) override {
    RunOn(thread_count(), iterations, body, context);
  }

  // On the caller and the first threads - 1 workers. Like Run, called by one thread at a time.
  void RunOn(int threads, int iterations, Body body, const void* context);
  // Tells those workers that a loop is coming, so that they are awake by then. Also by one thread at a time.
  void Expect(int threads);

 private:
  // A cache line of its own: callers read asleep in every loop.
  struct alignas(64) Worker {
    std::atomic<bool> asleep{false};
    std::mutex mutex;  // of what follows
    std::condition_variable wake;
    bool called = false;
    SleepingPlace place;
    std::thread thread;
  };

  // Each iteration by whoever is first.
  void RunEach(int threads, int iterations, Body body, const void* context);
  void Work(Worker& self, int thread);
  void TakeIterations(int thread);
  bool WaitForLoop(Worker& self, int thread, uint32_t& seen);
  void Sleep(Worker& self, int thread, uint32_t seen);
  bool Open(int thread, uint32_t seen, uint32_t& loop) const;
  // Whether the workers live in this process.
  bool has_workers() const { return !workers_.empty() && forks_ == ProcessForks(); }

  // Loop number in the high half, next unclaimed iteration in the low half; kClosed there while a loop is being set up.
  static constexpr uint64_t kClosed = 0xffffffffu;
  alignas(64) std::atomic<uint64_t> ticket_{kClosed};
  alignas(64) std::atomic<int> finished_{0};
  alignas(64) std::atomic<int> iterations_{0};
  std::atomic<int> threads_{0};
  std::atomic<Body> body_{nullptr};
  std::atomic<const void*> context_{nullptr};
  alignas(64) std::atomic<int> sleepers_{0};
  std::atomic<bool> stop_{false};
  const uint32_t forks_ = ProcessForks();
  LoopShares shares_;  // of a loop with more iterations than threads
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace lacos

#endif  // LACOS_THREAD_POOL_H_
