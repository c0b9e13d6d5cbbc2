#include "wake_placement.h"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lacos {

#if defined(__linux__)

namespace {

// Of a machine with more CPUs than the set nothing is known; its workers wake as they would have.
bool Fits(int cpu) { return cpu >= 0 && cpu < CPU_SETSIZE; }

bool Without(const cpu_set_t& all, const cpu_set_t& some, cpu_set_t& rest) {
  // What is in both, taken from all.
  CPU_AND(&rest, &all, &some);
  CPU_XOR(&rest, &all, &rest);
  return CPU_COUNT(&rest) > 0;
}

}  // namespace

void SleepingPlace::Sleep() {
  if (thread_id_ == 0) thread_id_ = static_cast<int>(syscall(SYS_gettid));
  cpu_ = sched_getcpu();
}

void SleepingPlace::Wake() {
  if (!restricted_) return;
  restricted_ = false;
  cpu_set_t now;
  if (sched_getaffinity(0, sizeof now, &now) != 0 || !CPU_EQUAL(&now, &narrowed_)) return;
  sched_setaffinity(0, sizeof allowed_, &allowed_);
}

WakePlacement::WakePlacement() {
  CPU_ZERO(&here_);
  const int here = sched_getcpu();
  if (Fits(here)) CPU_SET(here, &here_);
  claimed_ = taken_ = here_;
}

void WakePlacement::Take(const SleepingPlace& place) {
  if (Fits(place.cpu_)) CPU_SET(place.cpu_, &taken_);
}

void WakePlacement::Clear(SleepingPlace& place) {
  if (!Fits(place.cpu_) || CPU_COUNT(&here_) == 0) return;
  // Read now: it may have been changed while the worker slept.
  if (sched_getaffinity(place.thread_id_, sizeof place.allowed_, &place.allowed_) != 0) return;
  const bool collides = CPU_ISSET(place.cpu_, &claimed_);
  CPU_SET(place.cpu_, &claimed_);
  cpu_set_t& free = place.narrowed_;
  const bool found = (collides && Without(place.allowed_, taken_, free)) || Without(place.allowed_, here_, free);
  place.restricted_ = found && sched_setaffinity(place.thread_id_, sizeof free, &free) == 0;
}

#else

void SleepingPlace::Sleep() {}
void SleepingPlace::Wake() {}
WakePlacement::WakePlacement() = default;
void WakePlacement::Take(const SleepingPlace&) {}
void WakePlacement::Clear(SleepingPlace&) {}

#endif

}  // namespace lacos
