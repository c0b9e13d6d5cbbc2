#include "thread_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/wait.h>
#include <unistd.h>
#endif

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

TEST(ThreadPool, EachThreadBeginsWithTheFirstIterationOfItsShare) {
  constexpr int kThreads = 3;
  ThreadPool pool(kThreads);
  if (pool.thread_count() < kThreads) GTEST_SKIP() << "the system gives no more than " << pool.thread_count();
  for (int round = 0; round < 50; round++) {
    int first[kThreads] = {-1, -1, -1};
    std::atomic<int> begun{0};
    pool.For(100, [&](int i, int thread) {
      if (first[thread] >= 0) return;
      first[thread] = i;
      begun++;
      while (begun.load() < kThreads) std::this_thread::yield();  // nobody goes on before all have begun
    });
    EXPECT_EQ(first[0], 0);
    EXPECT_EQ(first[1], 33);
    EXPECT_EQ(first[2], 66);
  }
}

TEST(ThreadPool, SaysWhatAThreadRunsNext) {
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    std::vector<std::vector<int>> run(pool.thread_count()), next(pool.thread_count());
    pool.For(50, [&](int i, int thread, int following) {
      run[thread].push_back(i);
      next[thread].push_back(following);
    });
    for (int thread = 0; thread < pool.thread_count(); thread++) {
      for (size_t i = 0; i < run[thread].size(); i++) {
        const int said = next[thread][i];
        if (said < 0 || (i + 1 < run[thread].size() && said == run[thread][i + 1])) continue;
        // Somebody else has taken it over.
        EXPECT_GT(threads, 1);
        EXPECT_EQ(std::count(run[thread].begin(), run[thread].end(), said), 0);
      }
    }
    if (threads == 1) {
      EXPECT_EQ(next[0].back(), -1);
    }
  }
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
        [](const void* context, int i, int thread, int) { (*static_cast<decltype(&body)>(context))(i, thread); },
        &body);
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

TEST(ThreadPool, AnExceptionOfAnIterationIsThrownWhereTheLoopRuns) {
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 100; round++) {
      EXPECT_THROW(pool.For(40,
                            [&](int i, int) {
                              if (i >= round % 40) throw std::bad_alloc();
                            }),
                   std::bad_alloc);
      std::atomic<int> count{0};
      pool.For(40, [&](int, int) { count++; });
      ASSERT_EQ(40, count.load());
    }
  }
}

#if defined(__linux__)

TEST(ThreadPool, AForkedProcessRunsAloneAndEnds) {
  auto pool = std::make_unique<ThreadPool>(3);
  for (const int milliseconds : {0, 5}) {  // workers that spin, and that sleep
    pool->For(30, [](int, int) {});
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(20);  // instead of waiting forever
      std::atomic<int> count{0};
      pool->Expect(3);
      pool->For(30, [&](int, int thread) { count += thread == 0 ? 1 : 100; });
      pool.reset();
      _exit(count.load() == 30 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(child, waitpid(child, &status, 0));
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
}

#endif

}  // namespace
}  // namespace lacos
