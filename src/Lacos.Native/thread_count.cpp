#include "thread_count.h"

#include <algorithm>
#include <bitset>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(_WIN32)
#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#include <windows.h>
#endif

namespace lacos {
namespace {

int AffinityCount() {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
#endif
#if defined(_WIN32)
  // Of the process's own group of at most 64 CPUs. Both masks are 0 where its threads are in several groups.
  DWORD_PTR allowed = 0, present = 0;
  if (GetProcessAffinityMask(GetCurrentProcess(), &allowed, &present) != 0 && allowed != 0) {
    return static_cast<int>(std::bitset<8 * sizeof allowed>(allowed).count());
  }
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

double Smaller(double a, double b) { return a == 0 || (b != 0 && b < a) ? b : a; }

// cgroup v2: "max 100000" or "150000 100000".
double QuotaV2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return std::max(0.0, std::atof(quota.c_str()) / period);
}

double QuotaV1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us");
  std::ifstream period_file(folder + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) return 0;
  return quota / period;
}

}  // namespace

double CgroupCpuQuota(const std::string& proc_self_cgroup, const std::string& cgroup_root) {
  std::ifstream file(proc_self_cgroup);
  double quota = 0;
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    const bool v2 = controllers.empty();
    if (!v2 && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    // A limit may stand at any level above the process. Inside a container the path may not exist; its root does.
    for (;;) {
      if (path == "/") path.clear();
      quota = Smaller(quota, v2 ? QuotaV2(cgroup_root + path) : QuotaV1(cgroup_root + "/cpu" + path));
      if (path.empty()) break;
      const size_t slash = path.rfind('/');
      path = slash == std::string::npos ? std::string() : path.substr(0, slash);
    }
  }
  return quota;
}

double JobCpuQuota(uint32_t flags, uint32_t rate, int cpus) {
  constexpr uint32_t kEnabled = 0x1, kHardCap = 0x4, kRange = 0x10;
  if ((flags & kEnabled) == 0 || (flags & (kHardCap | kRange)) == 0) return 0;
  return ((flags & kHardCap) != 0 ? rate : rate >> 16) / 10000.0 * cpus;
}

namespace {

#if defined(_WIN32)
constexpr bool kHasJobs = true;

// Of the job that a container's processes are in.
double OwnJobQuota() {
  JOBOBJECT_CPU_RATE_CONTROL_INFORMATION control = {};
  if (QueryInformationJobObject(nullptr, JobObjectCpuRateControlInformation, &control, sizeof control, nullptr) == 0) {
    return 0;
  }
  return JobCpuQuota(control.ControlFlags, control.CpuRate,
                     static_cast<int>(GetActiveProcessorCount(ALL_PROCESSOR_GROUPS)));
}
#else
constexpr bool kHasJobs = false;
#endif

// What affinity and the container allow; quota is 0 where it does not bind.
struct CpuLimit {
  int allowed;
  double quota;
  int cpus() const { return quota > 0 ? std::max(1, static_cast<int>(std::ceil(quota))) : allowed; }
};

CpuLimit FindCpuLimit() {
  CpuLimit limit{std::min(AffinityCount(), kMaximumThreads), 0};
#if defined(__linux__)
  const double quota = CgroupCpuQuota("/proc/self/cgroup", "/sys/fs/cgroup");
  if (quota > 0 && quota < limit.allowed) limit.quota = quota;
#elif defined(_WIN32)
  const double quota = OwnJobQuota();
  if (quota > 0 && quota < limit.allowed) limit.quota = quota;
#endif
  return limit;
}

// DOTNET_PROCESSOR_COUNT as .NET 10 reads it (tried): decimal, what follows the digits does not count, outside of 1 to
// 65535 it is none. 0 for none.
int DotnetProcessorCount() {
  const char* text = std::getenv("DOTNET_PROCESSOR_COUNT");
  const long count = text == nullptr ? 0 : std::strtol(text, nullptr, 10);
  return count >= 1 && count <= 65535 ? static_cast<int>(count) : 0;
}

}  // namespace

int AvailableCpus() {
  static const int cpus = FindCpuLimit().cpus();
  return cpus;
}

ThreadCount DefaultThreadCount() {
  const char* wish = std::getenv("LACOS_NUM_THREADS");
  if (wish != nullptr && *wish != '\0') {
    char* end = nullptr;
    const long count = std::strtol(wish, &end, 10);
    if (*end == '\0' && count >= 1 && count <= kMaximumThreads) {
      return {static_cast<int>(count), "LACOS_NUM_THREADS"};
    }
  }
  const CpuLimit limit = FindCpuLimit();
  std::ostringstream reason;
  reason << "affinity allows " << limit.allowed << (limit.allowed == 1 ? " CPU" : " CPUs");
  if (limit.quota > 0) reason << (kHasJobs ? ", the job's CPU rate is " : ", the cgroup's quota is ") << limit.quota;
  int count = limit.cpus();
  // .NET takes the number also where it is larger than the machine; threads without a CPU only wait for one another.
  const int dotnet = DotnetProcessorCount();
  if (dotnet > 0 && dotnet < count) {
    count = dotnet;
    reason << ", DOTNET_PROCESSOR_COUNT is " << dotnet;
  }
  if (wish != nullptr && *wish != '\0') reason << "; LACOS_NUM_THREADS is not a number from 1 to 256";
  return {count, reason.str()};
}

}  // namespace lacos
