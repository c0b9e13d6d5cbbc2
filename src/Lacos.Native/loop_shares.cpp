#include "loop_shares.h"

#include <algorithm>

#include "fetch_line.h"

namespace lacos {

void LoopShares::Reserve(int shares) {
  if (shares <= room_) return;
  shares_ = std::make_unique<Share[]>(static_cast<size_t>(shares));
  room_ = shares;
}

void LoopShares::Deal(int iterations, int shares, LoopRunner::Body body, const void* context) {
  Reserve(shares);
  const int iterations_a_task = (iterations - 1) / kTasksMost + 1;
  tasks_ = (iterations - 1) / iterations_a_task + 1;
  count_.store(shares, std::memory_order_relaxed);
  // First in all shares what the loop is: as soon as one has tasks, the threads of others may take them over.
  for (int i = 0; i < shares; i++) {
    Share& share = shares_[i];
    share.done.store(0, std::memory_order_relaxed);
    share.iterations.store(iterations, std::memory_order_relaxed);
    share.iterations_a_task.store(iterations_a_task, std::memory_order_relaxed);
    share.body.store(body, std::memory_order_relaxed);
    share.context.store(context, std::memory_order_relaxed);
  }
  loop_++;
  for (int i = 0; i < shares; i++) {
    const Stretch stretch{loop_, static_cast<uint16_t>(First(tasks_, shares, i)),
                          static_cast<uint16_t>(First(tasks_, shares, i + 1))};
    shares_[i].stretch.store(stretch, std::memory_order_release);
  }
}

void LoopShares::Work(int share) {
  Share& own = shares_[share];
  // On its way while the share becomes this core's. It may be that of a loop that is over: then nothing is read there.
  FetchLine(own.context.load(std::memory_order_relaxed));
  for (int task; (task = Take(share)) >= 0;) {
    RunTask(own, task, share);
    own.done.store(own.done.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
}

// While a thread holds a task its loop is not over, and what its share says is of that loop.
void LoopShares::RunTask(const Share& own, int task, int share) {
  const LoopRunner::Body body = own.body.load(std::memory_order_relaxed);
  const void* context = own.context.load(std::memory_order_relaxed);
  const int count = own.iterations_a_task.load(std::memory_order_relaxed);
  const Stretch rest = own.stretch.load(std::memory_order_relaxed);
  const int next = rest.left() > 0 ? rest.front * count : -1;
  if (count == 1) return body(context, task, share, next);
  const int64_t end = std::min<int64_t>(own.iterations.load(std::memory_order_relaxed), (task + int64_t{1}) * count);
  for (int i = task * count; i < end; i++) body(context, i, share, i + 1 < end ? i + 1 : next);
}

// A task that nobody else gets; -1 when none is left.
int LoopShares::Take(int share) {
  std::atomic<Stretch>& own = shares_[share].stretch;
  Stretch seen = own.load(std::memory_order_acquire);
  while (seen.left() > 0) {
    const Stretch rest{seen.loop, static_cast<uint16_t>(seen.front + 1), seen.back};
    if (own.compare_exchange_weak(seen, rest, std::memory_order_acquire)) return seen.front;
  }
  return TakeOver(share, seen.loop);
}

// From shares of the same loop only: another may have begun, and this share be dealt out in it at this moment.
int LoopShares::TakeOver(int share, uint32_t loop) {
  for (;;) {
    Stretch most{loop, 0, 0};
    std::atomic<Stretch>* from = nullptr;
    const int count = count_.load(std::memory_order_relaxed);
    for (int i = 0; i < count; i++) {
      const Stretch seen = shares_[i].stretch.load(std::memory_order_acquire);
      if (seen.loop != loop || seen.left() <= most.left()) continue;
      most = seen;
      from = &shares_[i].stretch;
    }
    if (from == nullptr) return -1;
    // A stretch of the same value holds the same tasks, none of them taken: whatever happened in between, it may be
    // cut.
    const auto middle = static_cast<uint16_t>(most.front + most.left() / 2);
    if (!from->compare_exchange_strong(most, {loop, most.front, middle}, std::memory_order_acquire)) continue;
    shares_[share].stretch.store({loop, static_cast<uint16_t>(middle + 1), most.back}, std::memory_order_release);
    return middle;
  }
}

bool LoopShares::IsOver() const {
  int done = 0;
  for (int i = 0; i < count_.load(std::memory_order_relaxed); i++) {
    done += shares_[i].done.load(std::memory_order_acquire);
  }
  return done == tasks_;
}

}  // namespace lacos
