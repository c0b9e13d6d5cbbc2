// The threads that run a model's loops: those of the OpenMP runtime that the process was told to share, else own ones.
#ifndef LACOS_LOOP_THREADS_H_
#define LACOS_LOOP_THREADS_H_

#include <memory>

#include "loop_runner.h"
#include "thread_pool.h"

namespace lacos {

// Null or empty: own threads again. Else as FindOpenMp. Running loops are not affected.
void ShareOpenMp(const char* library);

class LoopThreads final : public LoopRunner {
 public:
  // leave: called by each thread after its part of a loop, before anything that is not ours can run on it; or null.
  explicit LoopThreads(int thread_count, void (*leave)() = nullptr) : thread_count_(thread_count), leave_(leave) {}

  int thread_count() const override { return thread_count_; }
  void Run(int iterations, Body body, const void* context) override { RunOn(thread_count_, iterations, body, context); }
  // On at most so many of them, the caller included.
  void RunOn(int threads, int iterations, Body body, const void* context);
  // Wakes them for loops that are about to come, while the caller has something else to do.
  void Expect(int threads);

 private:
  int thread_count_;
  void (*leave_)();
  LoopShares shares_;                // of a loop on a shared runtime
  std::unique_ptr<ThreadPool> own_;  // made when first needed: beside a shared runtime it never is
};

}  // namespace lacos

#endif  // LACOS_LOOP_THREADS_H_
