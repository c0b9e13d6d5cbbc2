#include "thread_count.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace lacos {
namespace {

class CgroupQuota : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::temp_directory_path() /
            ("lacos_cgroup_" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) + "_" +
             ::testing::UnitTest::GetInstance()->current_test_info()->name() +
             std::to_string(reinterpret_cast<uintptr_t>(this)));
    std::filesystem::create_directories(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  double Quota() { return CgroupCpuQuota((root_ / "self").string(), root_.string()); }
  std::filesystem::path root_;
};

TEST_F(CgroupQuota, TheSmallestOfTheLevelsCounts) {
  Write("self", "0::/a/b\n");
  Write("a/b/cpu.max", "max 100000\n");
  Write("a/cpu.max", "150000 100000\n");
  Write("cpu.max", "400000 100000\n");
  EXPECT_EQ(1.5, Quota());
}

TEST_F(CgroupQuota, InsideAContainerTheRootCounts) {
  Write("self", "0::/../elsewhere\n");
  Write("cpu.max", "50000 100000\n");
  EXPECT_EQ(0.5, Quota());
}

TEST_F(CgroupQuota, VersionOneIsRead) {
  Write("self", "4:cpuacct,cpu:/x\n3:memory:/x\n");
  Write("cpu/x/cpu.cfs_quota_us", "200000\n");
  Write("cpu/x/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(2.0, Quota());
}

TEST_F(CgroupQuota, CpusetIsAnotherController) {
  Write("self", "5:cpuset:/y\n4:cpuset,cpuacct:/y\n");
  Write("cpu/y/cpu.cfs_quota_us", "50000\n");
  Write("cpu/y/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(0.0, Quota());
  Write("self", "5:cpuset,cpu:/x\n4:cpuset:/y\n");
  Write("cpu/x/cpu.cfs_quota_us", "200000\n");
  Write("cpu/x/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(2.0, Quota());
}

TEST_F(CgroupQuota, NoneAndNonsenseAreNoQuota) {
  EXPECT_EQ(0.0, Quota());
  Write("self", "nonsense\n0::\n");
  Write("cpu.max", "lots of it\n");
  EXPECT_EQ(0.0, Quota());
}

TEST(JobQuota, OnlyACapIsOne) {
  EXPECT_EQ(2.0, JobCpuQuota(0x5, 2500, 8));
  EXPECT_EQ(6.0, JobCpuQuota(0x11, 7500u << 16 | 100, 8));
  EXPECT_EQ(0.0, JobCpuQuota(0x4, 2500, 8)) << "not switched on";
  EXPECT_EQ(0.0, JobCpuQuota(0x3, 5, 8)) << "a weight";
  EXPECT_EQ(0.0, JobCpuQuota(0, 0, 8));
}

#if !defined(_WIN32)
// The environment as it was comes back when a test ends.
class DefaultThreads : public testing::Test {
 protected:
  DefaultThreads() : wish_(Take("LACOS_NUM_THREADS")), dotnet_(Take("DOTNET_PROCESSOR_COUNT")) {}
  ~DefaultThreads() override {
    Restore("LACOS_NUM_THREADS", wish_);
    Restore("DOTNET_PROCESSOR_COUNT", dotnet_);
  }

 private:
  static std::string Take(const char* name) {
    const char* value = std::getenv(name);
    const std::string kept = value == nullptr ? "" : value;
    unsetenv(name);
    return kept;
  }
  static void Restore(const char* name, const std::string& value) {
    if (value.empty()) {
      unsetenv(name);
    } else {
      setenv(name, value.c_str(), 1);
    }
  }
  const std::string wish_;
  const std::string dotnet_;
};

TEST_F(DefaultThreads, TheEnvironmentDecidesWhereItIsANumber) {
  setenv("LACOS_NUM_THREADS", "3", 1);
  EXPECT_EQ(3, DefaultThreadCount().count);
  for (const char* bad : {"0", "-2", "x", "4 ", "100000"}) {
    setenv("LACOS_NUM_THREADS", bad, 1);
    EXPECT_NE(std::string::npos, DefaultThreadCount().reason.find("LACOS_NUM_THREADS")) << bad;
    EXPECT_GE(DefaultThreadCount().count, 1);
  }
  unsetenv("LACOS_NUM_THREADS");
  EXPECT_GE(DefaultThreadCount().count, 1);
}

TEST_F(DefaultThreads, DotnetsOwnNumberIsAnUpperBoundBelowTheLibrarysOwn) {
  const ThreadCount free = DefaultThreadCount();
  if (free.count < 2) GTEST_SKIP() << "needs two CPUs, has " << free.count;
  for (const char* one : {"1", " 1", "1f"}) {
    setenv("DOTNET_PROCESSOR_COUNT", one, 1);
    EXPECT_EQ(1, DefaultThreadCount().count) << one;
    EXPECT_NE(std::string::npos, DefaultThreadCount().reason.find("DOTNET_PROCESSOR_COUNT is 1")) << one;
  }
  for (const char* none : {"0", "0x1", "-1", "x", "", "60000", "70000"}) {
    setenv("DOTNET_PROCESSOR_COUNT", none, 1);
    EXPECT_EQ(free.count, DefaultThreadCount().count) << none;
    EXPECT_EQ(free.reason, DefaultThreadCount().reason) << none;
  }
  setenv("DOTNET_PROCESSOR_COUNT", "1", 1);
  setenv("LACOS_NUM_THREADS", "2", 1);
  EXPECT_EQ(2, DefaultThreadCount().count);
}
#endif

}  // namespace
}  // namespace lacos
