// Every iteration is run once, neighbours after each other, whoever takes from whom.
#include "loop_shares.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>
#include <vector>

#include "numbers.h"

namespace lacos {
namespace {

struct Step {
  int iteration;
  int next;
};
using Steps = std::vector<std::vector<Step>>;  // by thread

void Note(const void* context, int iteration, int thread, int next) {
  (*static_cast<Steps* const*>(context))->at(thread).push_back({iteration, next});
}

// A loop that notes what each thread runs.
struct NotedLoop {
  LoopShares shares;
  Steps steps;
  Steps* to = &steps;

  void Deal(int iterations, int count) {
    steps.assign(count, {});
    shares.Deal(iterations, count, Note, &to);
  }
  std::vector<int> Of(int share) const {
    std::vector<int> iterations;
    for (const Step& step : steps[share]) iterations.push_back(step.iteration);
    return iterations;
  }
};

std::vector<int> Range(int count) {
  std::vector<int> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TEST(LoopShares, OneThreadTakesItsOwnInOrderAndThenHalvesOfTheLargest) {
  NotedLoop loop;
  loop.Deal(12, 2);
  EXPECT_FALSE(loop.shares.IsOver());
  loop.shares.Work(0);
  EXPECT_TRUE(loop.shares.IsOver());
  EXPECT_EQ(loop.Of(0), (std::vector<int>{0, 1, 2, 3, 4, 5, 9, 10, 11, 7, 8, 6}));
  loop.shares.Work(1);
  EXPECT_TRUE(loop.Of(1).empty());
}

TEST(LoopShares, NextIsWhatTheOwnerTakesUnlessItIsTheLastOfAStretch) {
  NotedLoop loop;
  loop.Deal(10, 3);
  loop.shares.Work(1);
  const std::vector<Step>& steps = loop.steps[1];
  ASSERT_EQ(steps.size(), 10u);
  int known = 0;
  for (size_t i = 0; i < steps.size(); i++) {
    if (steps[i].next < 0) continue;
    known++;
    ASSERT_LT(i + 1, steps.size());
    EXPECT_EQ(steps[i].next, steps[i + 1].iteration);
  }
  // 3 4 5 | 8 9 | 7 6 or the like: within stretches only.
  EXPECT_GE(known, 3);
  EXPECT_EQ(steps.back().next, -1);
}

TEST(LoopShares, BeginWithTheFirstOfTheShare) {
  for (int count = 1; count <= 20; count++) {
    for (int iterations = count; iterations <= 100; iterations++) {
      for (int share = 0; share < count; share++) {
        NotedLoop loop;
        loop.Deal(iterations, count);
        loop.shares.Work(share);
        ASSERT_EQ(loop.Of(share)[0], LoopShares::First(iterations, count, share)) << iterations << ", " << count;
      }
    }
  }
}

TEST(LoopShares, MoreIterationsThanTasksAreRunInOrder) {
  for (const int iterations : {65535, 65536, 131070, 131071, 1000003}) {
    NotedLoop loop;
    loop.Deal(iterations, 1);
    loop.shares.Work(0);
    ASSERT_TRUE(loop.shares.IsOver());
    ASSERT_EQ(loop.Of(0), Range(iterations));
    for (int i = 0; i < iterations; i++) ASSERT_EQ(loop.steps[0][i].next, i + 1 < iterations ? i + 1 : -1);
  }
}

TEST(LoopShares, AThreadWhoseShareALoopDoesNotHaveTakesNothing) {
  NotedLoop loop;
  loop.Deal(8, 4);
  for (int share = 0; share < 4; share++) loop.shares.Work(share);
  loop.Deal(8, 2);
  loop.steps.resize(4);
  loop.shares.Work(3);
  EXPECT_TRUE(loop.Of(3).empty());
  EXPECT_FALSE(loop.shares.IsOver());
}

TEST(LoopShares, ThreadsRunEveryIterationOnce) {
  Numbers numbers(4);
  NotedLoop loop;
  for (int round = 0; round < 300; round++) {
    const int count = numbers.Whole(1, 8);
    const int iterations = numbers.Whole(count, round % 30 == 0 ? 200000 : 2000);
    loop.Deal(iterations, count);
    std::vector<std::thread> threads;
    for (int share = 0; share < count; share++) {
      // Some share has no owner: the others empty it.
      if (count > 1 && share == round % (2 * count)) continue;
      threads.emplace_back([&, share] { loop.shares.Work(share); });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_TRUE(loop.shares.IsOver());
    std::vector<int> all;
    for (int share = 0; share < count; share++) {
      const std::vector<int> some = loop.Of(share);
      all.insert(all.end(), some.begin(), some.end());
    }
    std::sort(all.begin(), all.end());
    ASSERT_EQ(all, Range(iterations)) << iterations << " iterations, " << count << " shares";
  }
}

// Threads go on looking for work while the next loop is dealt out, into shares that they may take from at that moment.
TEST(LoopShares, ThreadsThatLookForMoreWhileALoopBeginsLoseNothing) {
  constexpr int kShares = 4;
  LoopShares shares;
  shares.Reserve(kShares);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int share = 1; share < kShares; share++) {
    threads.emplace_back([&, share] {
      while (!stop.load()) shares.Work(share);
    });
  }
  struct Counts {
    std::vector<std::atomic<int>> of;
    int count;  // threads
    std::atomic<int> wrong{0};
  };
  int rounds = 0;
  for (; rounds < 20000; rounds++) {
    Counts counts{std::vector<std::atomic<int>>(1 + rounds % 13), 2 + rounds % 3, {}};
    shares.Deal(
        1 + rounds % 13, counts.count,
        [](const void* context, int iteration, int thread, int) {
          Counts& seen = *const_cast<Counts*>(static_cast<const Counts*>(context));
          seen.of[iteration]++;
          if (thread >= seen.count) seen.wrong++;
        },
        &counts);
    shares.Work(0);
    while (!shares.IsOver()) std::this_thread::yield();
    int once = 0;
    for (const auto& count : counts.of) once += count.load() == 1;
    ASSERT_EQ(once, 1 + rounds % 13) << "round " << rounds;
    ASSERT_EQ(counts.wrong.load(), 0) << "round " << rounds;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace lacos
