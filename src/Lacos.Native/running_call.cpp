#include "running_call.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "thread_count.h"

namespace lacos {
namespace {

struct Waiter {
  int limit;
  bool may_start = false;
  std::condition_variable wake;
};

struct Calls {
  std::atomic<int> running{0};
  std::mutex mutex;  // of what follows
  int running_short = 0;
  std::deque<Waiter*> waiting;
};

// Never freed: calls of other threads may still end while the process does.
Calls& AllCalls() {
  static Calls* calls = new Calls;
  return *calls;
}

}  // namespace

RunningCall::RunningCall(int tokens, int threads)
    : threads_(threads), cpus_(std::max(threads, AvailableCpus())), short_(tokens <= kShortTokens) {
  Calls& calls = AllCalls();
  if (short_) {
    std::unique_lock<std::mutex> lock(calls.mutex);
    if (calls.waiting.empty() && calls.running_short < kShortCallsOnACpu * cpus_) {
      calls.running_short++;
    } else {
      Waiter self{kShortCallsOnACpu * cpus_, false, {}};
      calls.waiting.push_back(&self);
      self.wake.wait(lock, [&] { return self.may_start; });
    }
  }
  calls.running.fetch_add(1, std::memory_order_relaxed);
}

RunningCall::~RunningCall() {
  Calls& calls = AllCalls();
  calls.running.fetch_sub(1, std::memory_order_relaxed);
  if (!short_) return;
  std::lock_guard<std::mutex> lock(calls.mutex);
  calls.running_short--;
  while (!calls.waiting.empty() && calls.running_short < calls.waiting.front()->limit) {
    Waiter* next = calls.waiting.front();
    calls.waiting.pop_front();
    calls.running_short++;  // in its name, so that nobody passes it
    next->may_start = true;
    next->wake.notify_one();  // with the lock: the waiter is gone once it has seen may_start
  }
}

int RunningCall::threads() const {
  const int beside = AllCalls().running.load(std::memory_order_relaxed) - 1;
  return std::max(1, std::min(threads_, cpus_ - beside));
}

}  // namespace lacos
