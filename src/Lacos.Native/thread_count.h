// How many threads a model uses when nobody says.
#ifndef LACOS_THREAD_COUNT_H_
#define LACOS_THREAD_COUNT_H_

#include <cstdint>
#include <string>

namespace lacos {

constexpr int kMaximumThreads = 256;

struct ThreadCount {
  int count;
  std::string reason;
};

// LACOS_NUM_THREADS where it is a number from 1 to 256, else the smallest of the CPUs in the affinity mask, the CPU quota
// of the cgroup (Linux) or the job (Windows), rounded up, and DOTNET_PROCESSOR_COUNT.
ThreadCount DefaultThreadCount();

// Of this process: the smaller of the CPUs in the affinity mask and the quota, rounded up. Found once.
int AvailableCpus();

// The quota in CPUs of the cgroup tree that this process is in; 0 for none. Roots are parameters for tests.
double CgroupCpuQuota(const std::string& proc_self_cgroup, const std::string& cgroup_root);

// The quota in CPUs of a Windows job, from the two words of its JOBOBJECT_CPU_RATE_CONTROL_INFORMATION; 0 for none. Rates
// are ten-thousandths of all CPUs: the whole word under a hard cap, its upper half where a least and a most rate are set.
double JobCpuQuota(uint32_t flags, uint32_t rate, int cpus);

}  // namespace lacos

#endif  // LACOS_THREAD_COUNT_H_
