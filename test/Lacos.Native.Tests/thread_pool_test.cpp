#include "thread_pool.h"

#include <gtest/gtest.h>

#include <chrono>

namespace lacos {
namespace {

TEST(ThreadPool, RunsEveryIterationOnceHoweverManyThreads) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 2000; round++) {
      const int iterations = round % 37;
      std::vector<std::atomic<int>> seen(static_cast<size_t>(iterations));
      std::atomic<int> wrong{0};
      pool.For(iterations, [&](int i, int thread) {
        seen[i]++;
        if (thread < 0 || thread >= pool.thread_count()) wrong++;
      });
      for (const auto& count : seen) ASSERT_EQ(1, count.load()) << threads << " threads, round " << round;
      ASSERT_EQ(0, wrong.load());
    }
  }
}

TEST(ThreadPool, NoTwoIterationsShareAThreadNumberAtOnce) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> busy(4);
  std::atomic<int> clashes{0};
  for (int round = 0; round < 200; round++) {
    pool.For(16, [&](int, int thread) {
      if (busy[thread].fetch_add(1) != 0) clashes++;
      std::this_thread::yield();
      busy[thread].fetch_sub(1);
    });
  }
  EXPECT_EQ(0, clashes.load());
}

TEST(ThreadPool, WakesWorkersThatWentToSleep) {
  ThreadPool pool(2);
  for (int round = 0; round < 20; round++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int> count{0};
    pool.For(2, [&](int, int) { count++; });
    ASSERT_EQ(2, count.load());
  }
}

TEST(ThreadPool, UsesNoMoreThreadsThanAskedFor) {
  ThreadPool pool(6);
  for (int round = 0; round < 500; round++) {
    const int threads = 1 + round % 6;
    std::atomic<int> count{0}, wrong{0};
    const auto body = [&](int, int thread) {
      count++;
      if (thread >= threads) wrong++;
    };
    pool.RunOn(
        threads, 40,
        [](const void* context, int i, int thread) { (*static_cast<decltype(&body)>(context))(i, thread); }, &body);
    ASSERT_EQ(40, count.load());
    ASSERT_EQ(0, wrong.load());
  }
}

TEST(ThreadPool, WorkersThatWereToldOfALoopThatDoesNotComeSleepAgainAndWakeForTheNext) {
  ThreadPool pool(3);
  for (int round = 0; round < 20; round++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    pool.Expect(3);
    if (round % 2 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int> count{0};
    pool.For(30, [&](int, int) { count++; });
    ASSERT_EQ(30, count.load());
  }
}

}  // namespace
}  // namespace lacos
