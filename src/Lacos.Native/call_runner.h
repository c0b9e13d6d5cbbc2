// Runs the loops of one call on the threads of its model, as many as calls beside it leave, loop by loop. A call that
// finds the threads at work for another runs its loop alone.
#ifndef LACOS_CALL_RUNNER_H_
#define LACOS_CALL_RUNNER_H_

#include <algorithm>
#include <mutex>

#include "loop_threads.h"
#include "running_call.h"

namespace lacos {

class CallRunner final : public LoopRunner {
 public:
  CallRunner(const RunningCall& call, LoopThreads& threads, std::mutex& mutex)
      : call_(call), threads_(threads), mutex_(mutex), most_(call.threads()) {
    std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
    if (most_ > 1 && lock.try_lock()) threads_.Expect(most_);
  }

  // The most that any of its loops will use.
  int thread_count() const override { return most_; }

  void Run(int iterations, Body body, const void* context) override {
    const int threads = std::min(most_, call_.threads());
    std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
    const bool alone = iterations <= 1 || threads <= 1 || !lock.try_lock();
    threads_.RunOn(alone ? 1 : threads, iterations, body, context);
  }

 private:
  const RunningCall& call_;
  LoopThreads& threads_;
  std::mutex& mutex_;
  const int most_;
};

}  // namespace lacos

#endif  // LACOS_CALL_RUNNER_H_
