// The functions of the C header that say what there is: version, last error, kernels, CPU, threads, peak.
#include <cstdio>

#include "boundary.h"
#include "int8_peak.h"
#include "kernel_selection.h"
#include "thread_count.h"

namespace lacos {
namespace {
thread_local char last_error[kMessageLength];

lacos_panels PanelsOf(const KernelSet& set) {
  if (!set.built) return {0, 0, 0};
  return {set.int8_gemm->columns, set.int8_gemm->k_group, set.int8_gemm->weight_xor};
}

}  // namespace

lacos_status Report(lacos_status status, const char* message) noexcept {
  std::snprintf(last_error, sizeof last_error, "%s", message);
  return status;
}

}  // namespace lacos

using lacos::Fail;
using lacos::Guard;
using lacos::NotNull;
using lacos::PanelsOf;

extern "C" {

int32_t lacos_abi_version(void) { return LACOS_ABI_VERSION; }

const char* lacos_last_error(void) { return lacos::last_error; }

int32_t lacos_kernel_count(void) {
  int32_t count = 0;
  Guard([&] { count = static_cast<int32_t>(lacos::Kernels().states.size()); });
  return count;
}

lacos_status lacos_kernel_get(int32_t index, lacos_kernel_info* info) {
  return Guard([&] {
    NotNull(info, "info");
    const auto& states = lacos::Kernels().states;
    if (index < 0 || index >= static_cast<int32_t>(states.size())) {
      Fail(LACOS_INVALID_ARGUMENT, "Kernel set %d asked for; there are %d.", index, static_cast<int>(states.size()));
    }
    const lacos::KernelState& state = states[index];
    *info = {state.set->name,           state.set->description,
             state.requirement.c_str(), state.set->built ? state.set->int8_gemm->name : "",
             state.set->built,          state.supported,
             state.is_default,          state.state.c_str(),
             PanelsOf(*state.set)};
  });
}

const char* lacos_cpu_name(void) {
  const char* name = "";
  Guard([&] { name = lacos::Kernels().cpu_name.c_str(); });
  return name;
}

const char* lacos_cpu_features(void) {
  const char* names = "";
  Guard([&] { names = lacos::Kernels().feature_names.c_str(); });
  return names;
}

int32_t lacos_default_thread_count(const char** reason) {
  int32_t count = 1;
  if (reason != nullptr) *reason = "";
  Guard([&] {
    // Never freed: its text may be read while the process ends.
    static const auto* threads = new lacos::ThreadCount(lacos::DefaultThreadCount());
    count = threads->count;
    if (reason != nullptr) *reason = threads->reason.c_str();
  });
  return count;
}

lacos_status lacos_measure_int8_peak(const char* isa, int32_t thread_count, double seconds, double* operations) {
  return Guard([&] {
    NotNull(operations, "operations");
    if (thread_count < 1 || thread_count > lacos::kMaximumThreads || !(seconds > 0 && seconds <= 60)) {
      Fail(LACOS_INVALID_ARGUMENT, "%d threads for %g seconds; take 1 to %d threads and at most 60 seconds.",
           thread_count, seconds, lacos::kMaximumThreads);
    }
    *operations = lacos::Int8Peak(lacos::SelectKernels(isa).name, thread_count, seconds);
  });
}

}  // extern "C"
