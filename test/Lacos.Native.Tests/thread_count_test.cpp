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

#if !defined(_WIN32)
TEST(DefaultThreads, TheEnvironmentDecidesWhereItIsANumber) {
  const char* before = std::getenv("LACOS_NUM_THREADS");
  const std::string kept = before == nullptr ? "" : before;
  setenv("LACOS_NUM_THREADS", "3", 1);
  EXPECT_EQ(3, DefaultThreadCount().count);
  for (const char* bad : {"0", "-2", "x", "4 ", "100000"}) {
    setenv("LACOS_NUM_THREADS", bad, 1);
    EXPECT_NE(std::string::npos, DefaultThreadCount().reason.find("LACOS_NUM_THREADS")) << bad;
    EXPECT_GE(DefaultThreadCount().count, 1);
  }
  unsetenv("LACOS_NUM_THREADS");
  EXPECT_GE(DefaultThreadCount().count, 1);
  if (!kept.empty()) setenv("LACOS_NUM_THREADS", kept.c_str(), 1);
}
#endif

}  // namespace
}  // namespace lacos
