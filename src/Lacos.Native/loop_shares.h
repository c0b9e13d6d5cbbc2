// A loop whose iterations are dealt out to threads.
#ifndef LACOS_LOOP_SHARES_H_
#define LACOS_LOOP_SHARES_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "loop_runner.h"

namespace lacos {

// Every thread has a share, a stretch of neighbours, the same in every loop over as many: so it finds data where it has
// itself written them, reads memory in long runs, and knows what it will take next. It takes them one by one from the
// front; when it has none left, it takes over the second half of the share that has most. So threads end together, and
// one that never comes delays nothing.
//
// A share is one cache line, with all that its thread has to know of the loop: from core to core a line takes up to
// half a microsecond, and a loop may be over in five.
class LoopShares {
 public:
  // The first iteration of a share when none has been taken.
  static int First(int iterations, int shares, int share) {
    return static_cast<int>(static_cast<int64_t>(iterations) * share / shares);
  }

  // For as many threads, before any of them looks.
  void Reserve(int shares);

  // Begins a loop. That before it is over, but threads may still be looking for more of it: they get some of this one.
  void Deal(int iterations, int shares, LoopRunner::Body body, const void* context);
  // Runs iterations until none is left to take. No two threads call it at once with the same share.
  void Work(int share);
  // Whether the loop is over, asked by the thread that began it.
  bool IsOver() const;
  // The number of the last loop that the share was part of.
  uint32_t loop(int share) const { return shares_[share].stretch.load(std::memory_order_acquire).loop; }

 private:
  // Tasks that nobody has taken, and of which loop.
  struct Stretch {
    uint32_t loop;
    uint16_t front;
    uint16_t back;
    int left() const { return back - front; }
  };
  // Where a loop has more iterations, a task is several of them.
  static constexpr int kTasksMost = 65535;

  // Two lines, because some processors fetch lines in pairs.
  struct alignas(128) Share {
    std::atomic<Stretch> stretch{Stretch{0, 0, 0}};
    static_assert(std::atomic<Stretch>::is_always_lock_free, "threads must not wait for each other here");
    std::atomic<int> done{0};  // tasks
    std::atomic<int> iterations{0};
    std::atomic<int> iterations_a_task{1};
    std::atomic<LoopRunner::Body> body{nullptr};
    std::atomic<const void*> context{nullptr};
  };

  int Take(int share);
  int TakeOver(int share, uint32_t loop);
  static void RunTask(const Share& own, int task, int share);

  std::unique_ptr<Share[]> shares_;
  int room_ = 0;
  uint32_t loop_ = 0;
  int tasks_ = 0;
  std::atomic<int> count_{0};
};

}  // namespace lacos

#endif  // LACOS_LOOP_SHARES_H_
