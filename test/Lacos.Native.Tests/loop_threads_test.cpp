// Loops on the threads of an OpenMP runtime give what loops on own threads give.
#include "loop_threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <new>
#include <thread>
#include <vector>

#include "lacos_native.h"
#include "numbers.h"

#if defined(LACOS_TEST_OPENMP)
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace lacos {
namespace {

TEST(SharedOpenMp, ALibraryThatIsNotLoadedIsRefused) {
  EXPECT_EQ(LACOS_UNSUPPORTED, lacos_use_openmp("libno_such_runtime.so.1"));
  EXPECT_NE(std::string(lacos_last_error()).find("libno_such_runtime"), std::string::npos);
  EXPECT_EQ(LACOS_OK, lacos_use_openmp(nullptr));
}

TEST(SharedOpenMp, RunsEveryIterationOnceAndGivesTheSameBits) {
#if defined(LACOS_TEST_OPENMP)
  if (dlopen(LACOS_TEST_OPENMP, RTLD_LAZY) == nullptr) GTEST_SKIP() << LACOS_TEST_OPENMP << " is not on this machine";
  Numbers numbers(4);
  const int m = 50, n = 200, k = 130;
  const std::vector<int8_t> codes = numbers.Codes(static_cast<size_t>(n) * k);
  const std::vector<float> absmax(n, 1.0f);
  const std::vector<float> x = numbers.Normals(static_cast<size_t>(m) * k, 1.0f);
  std::vector<std::vector<float>> outputs;
  for (const char* library : {"", LACOS_TEST_OPENMP}) {
    ASSERT_EQ(LACOS_OK, lacos_use_openmp(library)) << lacos_last_error();
    for (const int threads : {1, 2, 5}) {
      LoopThreads runner(threads);
      for (int round = 0; round < 200; round++) {
        std::vector<std::atomic<int>> seen(static_cast<size_t>(round % 37));
        std::atomic<int> wrong{0};
        runner.For(round % 37, [&](int i, int thread) {
          seen[i]++;
          if (thread < 0 || thread >= threads) wrong++;
        });
        for (const auto& count : seen) ASSERT_EQ(1, count.load());
        ASSERT_EQ(0, wrong.load());
      }
      EXPECT_THROW(runner.For(20, [](int, int) { throw std::bad_alloc(); }), std::bad_alloc);
      lacos_int8_linear* layer = nullptr;
      ASSERT_EQ(LACOS_OK, lacos_int8_linear_create(n, k, codes.data(), absmax.data(), threads, nullptr, &layer));
      std::vector<float> y(static_cast<size_t>(m) * n), dx(static_cast<size_t>(m) * k);
      EXPECT_EQ(LACOS_OK, lacos_int8_linear_forward(layer, x.data(), m, 0, nullptr, 0, nullptr, y.data()));
      EXPECT_EQ(LACOS_OK, lacos_int8_linear_backward(layer, y.data(), m, 0, dx.data()));
      y.insert(y.end(), dx.begin(), dx.end());
      outputs.push_back(y);
      lacos_int8_linear_destroy(layer);
    }
  }
  EXPECT_EQ(LACOS_OK, lacos_use_openmp(nullptr));
  for (const auto& output : outputs) EXPECT_EQ(outputs[0], output);
#else
  GTEST_SKIP() << "The compiler has no OpenMP runtime to test with.";
#endif
}

// Threads that have run something and not left since.
std::atomic<int> inside{0};
thread_local bool is_inside = false;

void Enter() {
  if (!is_inside) inside++;
  is_inside = true;
}

void Leave() {
  if (is_inside) inside--;
  is_inside = false;
}

TEST(LoopThreads, EachThreadLeavesAfterItsPartOfALoop) {
  for (const int threads : {1, 2, 4}) {
    LoopThreads runner(threads, Leave);
    for (int round = 0; round < 200; round++) {
      runner.For(round % 11, [](int, int) { Enter(); });
      EXPECT_FALSE(is_inside);
    }
    // Workers leave a moment after the loop is over.
    for (int i = 0; i < 10000 && inside.load() > 0; i++) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(inside.load(), 0);
  }
}

TEST(SharedOpenMp, EachThreadLeavesBeforeTheLoopIsOver) {
#if defined(LACOS_TEST_OPENMP)
  if (dlopen(LACOS_TEST_OPENMP, RTLD_LAZY) == nullptr) GTEST_SKIP() << LACOS_TEST_OPENMP << " is not on this machine";
  ASSERT_EQ(LACOS_OK, lacos_use_openmp(LACOS_TEST_OPENMP)) << lacos_last_error();
  LoopThreads runner(3, Leave);
  for (int round = 0; round < 200; round++) {
    runner.For(round % 11, [](int, int) { Enter(); });
    ASSERT_EQ(inside.load(), 0);
  }
  EXPECT_EQ(LACOS_OK, lacos_use_openmp(nullptr));
#else
  GTEST_SKIP() << "The compiler has no OpenMP runtime to test with.";
#endif
}

// The runtime's threads stay behind in the parent, as own ones do.
TEST(SharedOpenMp, AForkedProcessRunsAloneAndEnds) {
#if defined(LACOS_TEST_OPENMP)
  if (dlopen(LACOS_TEST_OPENMP, RTLD_LAZY) == nullptr) GTEST_SKIP() << LACOS_TEST_OPENMP << " is not on this machine";
  ASSERT_EQ(LACOS_OK, lacos_use_openmp(LACOS_TEST_OPENMP)) << lacos_last_error();
  LoopThreads runner(3);
  runner.For(30, [](int, int) {});
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);  // instead of waiting forever
    std::atomic<int> count{0};
    runner.For(30, [&](int, int thread) { count += thread == 0 ? 1 : 100; });
    _exit(count.load() == 30 ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(child, waitpid(child, &status, 0));
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(LACOS_OK, lacos_use_openmp(nullptr));
#else
  GTEST_SKIP() << "The compiler has no OpenMP runtime to test with.";
#endif
}

}  // namespace
}  // namespace lacos
