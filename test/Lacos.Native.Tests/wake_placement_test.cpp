#include "wake_placement.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lacos {
namespace {

#if defined(__linux__)

cpu_set_t Allowed(int thread_id) {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(0, sched_getaffinity(thread_id, sizeof set, &set));
  return set;
}

// This thread on one core for as long as it lives.
class OnOneCore {
 public:
  OnOneCore() : before_(Allowed(0)), cpu_(sched_getcpu()) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu_, &one);
    EXPECT_EQ(0, sched_setaffinity(0, sizeof one, &one));
  }
  ~OnOneCore() { sched_setaffinity(0, sizeof before_, &before_); }
  int cpu() const { return cpu_; }

 private:
  cpu_set_t before_;
  int cpu_;
};

TEST(WakePlacement, AWorkerDoesNotWakeOnItsWakersCoreAndMayRunEverywhereAfterwards) {
  const cpu_set_t all = Allowed(0);
  if (CPU_COUNT(&all) < 2) GTEST_SKIP() << "Only one CPU is allowed here.";
  SleepingPlace place;
  std::promise<int> asleep;
  std::promise<void> go;
  std::promise<cpu_set_t> awake;
  std::thread worker([&] {
    place.Sleep();
    asleep.set_value(static_cast<int>(syscall(SYS_gettid)));
    go.get_future().wait();
    place.Wake();
    awake.set_value(Allowed(0));
  });
  const int id = asleep.get_future().get();
  {
    OnOneCore here;
    WakePlacement placement;
    placement.Take(place);
    placement.Clear(place);
    const cpu_set_t set = Allowed(id);
    EXPECT_FALSE(CPU_ISSET(here.cpu(), &set));
    EXPECT_GE(CPU_COUNT(&set), 1);
  }
  go.set_value();
  const cpu_set_t after = awake.get_future().get();
  worker.join();
  EXPECT_TRUE(CPU_EQUAL(&all, &after));
}

constexpr int kWakersCore = -1;

// Whether a worker that somebody has put on a core while it slept is there, and only there, in the end: moved before it
// is cleared, or afterwards to the waker's core (any other one is where the waker itself may have put it).
bool StaysWhereItIsMoved(int core) {
  SleepingPlace place;
  std::promise<int> asleep;
  std::promise<void> go;
  std::promise<cpu_set_t> awake;
  std::thread worker([&] {
    place.Sleep();
    asleep.set_value(static_cast<int>(syscall(SYS_gettid)));
    go.get_future().wait();
    place.Wake();
    awake.set_value(Allowed(0));
  });
  const int id = asleep.get_future().get();
  OnOneCore here;
  const int to = core == kWakersCore ? here.cpu() : core;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(to, &one);
  if (core != kWakersCore) {
    EXPECT_EQ(0, sched_setaffinity(id, sizeof one, &one));
  }
  WakePlacement placement;
  placement.Take(place);
  placement.Clear(place);
  if (core == kWakersCore) {
    EXPECT_EQ(0, sched_setaffinity(id, sizeof one, &one));
  }
  go.set_value();
  const cpu_set_t set = awake.get_future().get();
  worker.join();
  return CPU_EQUAL(&set, &one);
}

TEST(WakePlacement, WhatAWorkerIsToldWhileItSleepsCounts) {
  const cpu_set_t all = Allowed(0);
  if (CPU_COUNT(&all) < 2) GTEST_SKIP() << "Only one CPU is allowed here.";
  for (int core = 0; core < CPU_SETSIZE; core++) {
    if (!CPU_ISSET(core, &all)) continue;
    EXPECT_TRUE(StaysWhereItIsMoved(core)) << core;
  }
  EXPECT_TRUE(StaysWhereItIsMoved(kWakersCore));
}

TEST(WakePlacement, AWorkerOfOneCoreIsLeftWhereItMayRun) {
  SleepingPlace place;
  OnOneCore here;
  std::promise<int> asleep;
  std::promise<void> go;
  // Inherits the one core.
  std::thread worker([&] {
    place.Sleep();
    asleep.set_value(static_cast<int>(syscall(SYS_gettid)));
    go.get_future().wait();
    place.Wake();
  });
  const int id = asleep.get_future().get();
  WakePlacement placement;
  placement.Take(place);
  placement.Clear(place);
  const cpu_set_t set = Allowed(id);
  go.set_value();
  worker.join();
  EXPECT_TRUE(CPU_ISSET(here.cpu(), &set));
}

#else

TEST(WakePlacement, LeavesThreadsToTheSystemElsewhere) { GTEST_SKIP() << "Linux only."; }

#endif

}  // namespace
}  // namespace lacos
