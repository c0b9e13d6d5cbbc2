// Runs the iterations of a loop, possibly on several threads. The own pool is one; another (such as an OpenMP runtime
// that a framework has already loaded, whose threads an own pool would fight) needs only this interface.
#ifndef LACOS_LOOP_RUNNER_H_
#define LACOS_LOOP_RUNNER_H_

#include <atomic>
#include <exception>
#include <type_traits>

namespace lacos {

// The first exception of a loop's iterations, brought to the thread that runs the loop.
class LoopFailure {
 public:
  bool any() const { return taken_.load(std::memory_order_relaxed); }
  // In a handler.
  void Keep() noexcept {
    if (!taken_.exchange(true)) first_ = std::current_exception();
  }
  // After the loop.
  void Rethrow() const {
    if (first_ != nullptr) std::rethrow_exception(first_);
  }

 private:
  std::atomic<bool> taken_{false};
  std::exception_ptr first_;
};

class LoopRunner {
 public:
  // thread is below thread_count(), and no two bodies run at once with the same one. next: what this thread runs after
  // it, unless another takes that over; -1 for nothing, or when it is not known.
  using Body = void (*)(const void* context, int iteration, int thread, int next);

  virtual ~LoopRunner() = default;
  virtual int thread_count() const = 0;

  // Returns after all iterations. Bodies must not throw. Called by one thread at a time.
  virtual void Run(int iterations, Body body, const void* context) = 0;

  // function(iteration, thread) or function(iteration, thread, next). An exception of it ends the loop early and is
  // thrown here.
  template <class Function>
  void For(int iterations, const Function& function) {
    if (iterations <= 0) return;
    struct Loop {
      const Function& function;
      LoopFailure& failure;
    };
    LoopFailure failure;
    const Loop loop{function, failure};
    Run(
        iterations,
        [](const void* context, int iteration, int thread, [[maybe_unused]] int next) {
          const Loop& mine = *static_cast<const Loop*>(context);
          if (mine.failure.any()) return;
          try {
            if constexpr (std::is_invocable_v<const Function&, int, int, int>) {
              mine.function(iteration, thread, next);
            } else {
              mine.function(iteration, thread);
            }
          } catch (...) {
            mine.failure.Keep();
          }
        },
        &loop);
    failure.Rethrow();
  }
};

// On the calling thread.
inline void RunAlone(int iterations, LoopRunner::Body body, const void* context) {
  for (int i = 0; i < iterations; i++) body(context, i, 0, i + 1 < iterations ? i + 1 : -1);
}

class SerialRunner final : public LoopRunner {
 public:
  int thread_count() const override { return 1; }
  void Run(int iterations, Body body, const void* context) override { RunAlone(iterations, body, context); }
};

}  // namespace lacos

#endif  // LACOS_LOOP_RUNNER_H_
