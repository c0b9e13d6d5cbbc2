#include "running_call.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "thread_count.h"

namespace lacos {
namespace {

constexpr int kShort = 20;
constexpr int kLong = 100000;

int Cpus() { return std::max(2, AvailableCpus()); }
int ShortCalls() { return 4 * Cpus(); }

TEST(RunningCall, ACallLeavesThreadsToTheCallsBesideIt) {
  const RunningCall one(kLong, Cpus());
  EXPECT_EQ(Cpus(), one.threads());
  {
    const RunningCall two(kShort, Cpus());
    EXPECT_EQ(Cpus() - 1, one.threads());
    EXPECT_EQ(Cpus() - 1, two.threads());
    std::vector<std::unique_ptr<RunningCall>> more;
    for (int i = 0; i < Cpus(); i++) more.push_back(std::make_unique<RunningCall>(kLong, Cpus()));
    EXPECT_EQ(1, one.threads());
  }
  EXPECT_EQ(Cpus(), one.threads());
}

TEST(RunningCall, NoMoreShortCallsThanFourForEachCpuRunAtOnceAndAllComeToTheirTurn) {
  std::atomic<int> running{0}, most{0}, done{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4 * ShortCalls(); i++) {
    callers.emplace_back([&] {
      for (int call = 0; call < 50; call++) {
        const RunningCall turn(kShort, Cpus());
        const int now = ++running;
        for (int seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        running--;
        done++;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(4 * ShortCalls() * 50, done.load());
  EXPECT_LE(most.load(), ShortCalls());
}

TEST(RunningCall, ALongCallStartsWhileShortOnesWait) {
  std::vector<std::unique_ptr<RunningCall>> turns;
  for (int i = 0; i < ShortCalls(); i++) turns.push_back(std::make_unique<RunningCall>(kShort, Cpus()));
  std::atomic<bool> started{false};
  std::thread waiting([&] {
    const RunningCall turn(kShort, Cpus());
    started = true;
  });
  { const RunningCall beside(kLong, Cpus()); }
  EXPECT_FALSE(started.load());
  turns.pop_back();
  waiting.join();
  EXPECT_TRUE(started.load());
}

TEST(RunningCall, ShortCallsStartInTheOrderInWhichTheyCame) {
  std::vector<std::unique_ptr<RunningCall>> turns;
  for (int i = 0; i < ShortCalls(); i++) turns.push_back(std::make_unique<RunningCall>(kShort, Cpus()));
  std::mutex mutex;
  std::vector<int> order;
  std::vector<std::thread> callers;
  for (int i = 0; i < 6; i++) {
    callers.emplace_back([&, i] {
      const RunningCall turn(kShort, Cpus());
      std::lock_guard<std::mutex> lock(mutex);
      order.push_back(i);
    });
    // Long enough for the thread to be waiting before the next one comes.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  turns.pop_back();  // one turn, handed from caller to caller
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ((std::vector<int>{0, 1, 2, 3, 4, 5}), order);
}

}  // namespace
}  // namespace lacos
