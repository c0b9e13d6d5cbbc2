// The own loop runner: workers that spin for a moment between loops and sleep between calls.
//
// Iterations are taken one by one from shares (loop_shares.h), by the caller too, and the caller waits for taken ones
// only: a worker that the system has taken off its core delays nothing but the iteration that it holds.
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
  // leave: as in LoopThreads, called by workers; the caller sees to itself.
  explicit ThreadPool(int thread_count, void (*leave)() = nullptr);
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
  // A cache line of its own: callers read asleep.
  struct alignas(64) Worker {
    std::atomic<bool> asleep{false};
    std::mutex mutex;  // of what follows
    std::condition_variable wake;
    bool called = false;
    SleepingPlace place;
    std::thread thread;
  };

  void Wake(int threads);
  void Work(Worker& self, int thread);
  bool WaitForLoop(Worker& self, int thread, uint32_t seen);
  void Sleep(Worker& self, int thread, uint32_t seen);
  // Whether the workers live in this process.
  bool has_workers() const { return !workers_.empty() && forks_ == ProcessForks(); }

  LoopShares shares_;
  void (*const leave_)();
  alignas(64) std::atomic<int> sleepers_{0};
  std::atomic<bool> stop_{false};
  const uint32_t forks_ = ProcessForks();
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace lacos

#endif  // LACOS_THREAD_POOL_H_
