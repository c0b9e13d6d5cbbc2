// Runs the iterations of a loop, possibly on several threads. The own pool is one; another (such as an OpenMP runtime
// that a framework has already loaded, whose threads an own pool would fight) needs only this interface.
#ifndef LACOS_LOOP_RUNNER_H_
#define LACOS_LOOP_RUNNER_H_

namespace lacos {

class LoopRunner {
 public:
  // thread is below thread_count(), and no two bodies run at once with the same one.
  using Body = void (*)(const void* context, int iteration, int thread);

  virtual ~LoopRunner() = default;
  virtual int thread_count() const = 0;
  // How far behind an iteration the thread's next one probably is.
  virtual int stride() const { return thread_count(); }

  // Returns after all iterations. Bodies must not throw. Called by one thread at a time.
  virtual void Run(int iterations, Body body, const void* context) = 0;

  template <class Function>
  void For(int iterations, const Function& function) {
    if (iterations <= 0) return;
    Run(
        iterations,
        [](const void* context, int iteration, int thread) {
          (*static_cast<const Function*>(context))(iteration, thread);
        },
        &function);
  }
};

// Everything on the calling thread.
class SerialRunner final : public LoopRunner {
 public:
  int thread_count() const override { return 1; }
  void Run(int iterations, Body body, const void* context) override {
    for (int i = 0; i < iterations; i++) body(context, i, 0);
  }
};

}  // namespace lacos

#endif  // LACOS_LOOP_RUNNER_H_
