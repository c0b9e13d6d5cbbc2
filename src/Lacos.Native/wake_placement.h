// On which cores sleeping workers wake.
//
// Linux means to wake a thread on an idle core, but in a virtual machine it was seen to queue it behind its waker while
// another core was idle (perhaps because an idle core looks there as if the host had taken it away; not traced). The
// thread is moved some milliseconds later, and a short call is over by then. So while a
// worker sleeps and is woken it may run everywhere but on its waker's core, and not where another worker went to sleep
// if it would wake on the same core. As soon as it runs it may run everywhere again: several pools, several processes,
// affinity masks and the system's balancing work as before.
#ifndef LACOS_WAKE_PLACEMENT_H_
#define LACOS_WAKE_PLACEMENT_H_

#if defined(__linux__)
#include <sched.h>
#endif

namespace lacos {

// Of one worker. Its owner sees to it that a worker's own calls and those of a waker never run at once.
class SleepingPlace {
 public:
  // By the worker: it is about to sleep here.
  void Sleep();
  // By the worker: it runs again, wherever it might before; unless somebody else has told it since where to run.
  void Wake();

 private:
  friend class WakePlacement;
#if defined(__linux__)
  int thread_id_ = 0;
  int cpu_ = -1;
  bool restricted_ = false;
  cpu_set_t allowed_;   // before it was restricted
  cpu_set_t narrowed_;  // to these
#endif
};

// One round of waking, by the thread that wakes: first Take every place, then Clear each before its worker is woken.
class WakePlacement {
 public:
  WakePlacement();
  void Take(const SleepingPlace& place);
  void Clear(SleepingPlace& place);

 private:
#if defined(__linux__)
  cpu_set_t here_;
  cpu_set_t taken_;    // here_, and where workers sleep
  cpu_set_t claimed_;  // by workers that were cleared
#endif
};

}  // namespace lacos

#endif  // LACOS_WAKE_PLACEMENT_H_
