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

void Move(int thread_id, int core) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(core, &one);
  EXPECT_EQ(0, sched_setaffinity(thread_id, sizeof one, &one));
}

// This thread on one core for as long as it lives.
class OnOneCore {
 public:
  OnOneCore() : before_(Allowed(0)), cpu_(sched_getcpu()) { Move(0, cpu_); }
  ~OnOneCore() { sched_setaffinity(0, sizeof before_, &before_); }
  int cpu() const { return cpu_; }

 private:
  cpu_set_t before_;
  int cpu_;
};

// A thread that has gone to sleep.
class SleepingWorker {
 public:
  SleepingWorker()
      : thread_([this] {
          place_.Sleep();
          asleep_.set_value(static_cast<int>(syscall(SYS_gettid)));
          go_.get_future().wait();
          place_.Wake();
          awake_.set_value(Allowed(0));
        }),
        id_(asleep_.get_future().get()) {}

  int id() const { return id_; }

  // By this thread's way of waking it.
  void Clear() {
    WakePlacement placement;
    placement.Take(place_);
    placement.Clear(place_);
  }
  // Wakes and ends it; where it could run when it was awake.
  cpu_set_t Wake() {
    go_.set_value();
    thread_.join();
    return awake_.get_future().get();
  }

 private:
  SleepingPlace place_;
  std::promise<int> asleep_;
  std::promise<void> go_;
  std::promise<cpu_set_t> awake_;
  std::thread thread_;
  const int id_;
};

TEST(WakePlacement, AWorkerDoesNotWakeOnItsWakersCoreAndMayRunEverywhereAfterwards) {
  const cpu_set_t all = Allowed(0);
  if (CPU_COUNT(&all) < 2) GTEST_SKIP() << "Only one CPU is allowed here.";
  SleepingWorker worker;
  {
    OnOneCore here;
    worker.Clear();
    const cpu_set_t set = Allowed(worker.id());
    EXPECT_FALSE(CPU_ISSET(here.cpu(), &set));
    EXPECT_GE(CPU_COUNT(&set), 1);
  }
  const cpu_set_t after = worker.Wake();
  EXPECT_TRUE(CPU_EQUAL(&all, &after));
}

TEST(WakePlacement, WhatAWorkerIsToldWhileItSleepsCounts) {
  const cpu_set_t all = Allowed(0);
  if (CPU_COUNT(&all) < 2) GTEST_SKIP() << "Only one CPU is allowed here.";
  for (int core = 0; core < CPU_SETSIZE; core++) {
    if (!CPU_ISSET(core, &all)) continue;
    SleepingWorker worker;
    OnOneCore here;
    Move(worker.id(), core);
    worker.Clear();
    const cpu_set_t set = worker.Wake();
    EXPECT_TRUE(CPU_COUNT(&set) == 1 && CPU_ISSET(core, &set)) << core;
  }
  // Moved after it was cleared: to the waker's core, because any other one is where the waker itself may have put it.
  SleepingWorker worker;
  OnOneCore here;
  worker.Clear();
  Move(worker.id(), here.cpu());
  const cpu_set_t set = worker.Wake();
  EXPECT_TRUE(CPU_COUNT(&set) == 1 && CPU_ISSET(here.cpu(), &set));
}

TEST(WakePlacement, AWorkerOfOneCoreIsLeftWhereItMayRun) {
  OnOneCore here;
  SleepingWorker worker;  // inherits the one core
  worker.Clear();
  const cpu_set_t set = Allowed(worker.id());
  worker.Wake();
  EXPECT_TRUE(CPU_ISSET(here.cpu(), &set));
}

#else

TEST(WakePlacement, LeavesThreadsToTheSystemElsewhere) { GTEST_SKIP() << "Linux only."; }

#endif

}  // namespace
}  // namespace lacos
