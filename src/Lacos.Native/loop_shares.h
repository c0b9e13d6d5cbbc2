// The items of a loop, dealt out to its threads.
#ifndef LACOS_LOOP_SHARES_H_
#define LACOS_LOOP_SHARES_H_

#include <atomic>
#include <cstdint>
#include <memory>

namespace lacos {

// Every thread has a share, a stretch of neighbours, the same in every loop over as many: so it finds data where it has
// itself written them, reads memory in long runs, and knows what it will take next. It takes items one by one from the
// front; when it has none left, it takes over the second half of the share that has most. So threads end together.
class LoopShares {
 public:
  // The first item of a share when none has been taken.
  static int First(int items, int shares, int share) {
    return static_cast<int>(static_cast<int64_t>(items) * share / shares);
  }

  void Reserve(int shares) {
    if (shares <= room_) return;
    shares_ = std::make_unique<Share[]>(static_cast<size_t>(shares));
    room_ = shares;
  }

  // Before anybody takes: items 0 to items - 1 in equal shares, some of which may be empty.
  void Deal(int items, int shares) {
    Reserve(shares);
    count_ = shares;
    for (int i = 0; i < shares; i++) {
      shares_[i].stretch.store({First(items, shares, i), First(items, shares, i + 1)}, std::memory_order_relaxed);
    }
  }

  // An item that nobody else gets; -1 when none is left. No two threads call it at once with the same share.
  int Take(int share) {
    std::atomic<Stretch>& own = shares_[share].stretch;
    for (Stretch seen = own.load(std::memory_order_relaxed); seen.left() > 0;) {
      if (own.compare_exchange_weak(seen, {seen.front + 1, seen.back}, std::memory_order_relaxed)) return seen.front;
    }
    return TakeOver(own);
  }

  // What Take gives next if nobody takes it over; -1 where the share has none left.
  int Next(int share) const {
    const Stretch seen = shares_[share].stretch.load(std::memory_order_relaxed);
    return seen.left() > 0 ? seen.front : -1;
  }

 private:
  struct Stretch {
    int32_t front;
    int32_t back;
    int left() const { return back - front; }
  };
  struct alignas(64) Share {
    std::atomic<Stretch> stretch{Stretch{0, 0}};
  };

  // A stretch of the same value holds the same items, none of them taken: whatever happened in between, it may be cut.
  int TakeOver(std::atomic<Stretch>& own) {
    for (;;) {
      Stretch most{0, 0};
      std::atomic<Stretch>* from = nullptr;
      for (int i = 0; i < count_; i++) {
        const Stretch seen = shares_[i].stretch.load(std::memory_order_relaxed);
        if (seen.left() <= most.left()) continue;
        most = seen;
        from = &shares_[i].stretch;
      }
      if (from == nullptr) return -1;
      const int middle = most.front + most.left() / 2;
      if (!from->compare_exchange_strong(most, {most.front, middle}, std::memory_order_relaxed)) continue;
      own.store({middle + 1, most.back}, std::memory_order_relaxed);
      return middle;
    }
  }

  std::unique_ptr<Share[]> shares_;
  int room_ = 0;
  int count_ = 0;
};

}  // namespace lacos

#endif  // LACOS_LOOP_SHARES_H_
