#include "kernel_selection.h"

#include <cstdlib>
#include <cstring>

#include "cpu_features.h"
#include "kernel_self_check.h"
#include "kernel_sets.h"
#include "lacos_native.h"
#include "status.h"

namespace lacos {
namespace {

KernelSelection Detect() {
  KernelSelection selection;
  selection.features = DetectCpuFeatures();
  selection.feature_names = CpuFeatureNames(selection.features);
  selection.cpu_name = DetectCpuName();
  bool chosen = false;
  for (int i = 0; i < kKernelSetCount; i++) {
    const KernelSet& set = kKernelSets[i];
    KernelState state;
    state.set = &set;
    state.requirement = CpuFeatureNames(set.requires_features);
    const uint32_t missing = set.requires_features & ~selection.features;
    state.supported = missing == 0;
    state.usable = false;
    state.is_default = false;
    if (!set.built) {
      state.state = "not built into this library";
      if (missing != 0) state.state += "; this CPU lacks " + CpuFeatureNames(missing);
    } else if (!state.supported) {
      state.state = "this CPU lacks " + CpuFeatureNames(missing);
    } else {
      const char* failure = SelfCheck(set);
      state.usable = failure == nullptr;
      if (!state.usable) {
        state.state = std::string("failed its self-check against the scalar reference: ") + failure;
      } else if (!chosen) {
        chosen = state.is_default = true;
        state.state = "chosen: the fastest that is built, that this CPU has, and that passed its self-check";
      } else {
        state.state = "usable; a faster one is chosen";
      }
    }
    selection.states.push_back(std::move(state));
  }
  return selection;
}

std::string UsableNames() {
  std::string names;
  for (const KernelState& state : Kernels().states) {
    if (!state.usable) continue;
    if (!names.empty()) names += ", ";
    names += state.set->name;
  }
  return names;
}

}  // namespace

// Never freed: other threads may still call while the process ends.
const KernelSelection& Kernels() {
  static const KernelSelection* selection = new KernelSelection(Detect());
  return *selection;
}

const KernelSet& SelectKernels(const char* isa) {
  const char* source = "isa";
  if (isa == nullptr || *isa == '\0') {
    isa = std::getenv("LACOS_FORCE_ISA");
    source = "LACOS_FORCE_ISA";
  }
  for (const KernelState& state : Kernels().states) {
    if (isa == nullptr || *isa == '\0') {
      if (state.is_default) return *state.set;
    } else if (std::strcmp(isa, state.set->name) == 0) {
      if (!state.usable) {
        Fail(LACOS_UNSUPPORTED, "%s asks for the kernels '%s', which cannot run: %s. Usable here: %s.", source, isa,
             state.state.c_str(), UsableNames().c_str());
      }
      return *state.set;
    }
  }
  Fail(LACOS_INVALID_ARGUMENT, "%s is '%.64s', which names no kernels. Usable here: %s.", source,
       isa == nullptr ? "" : isa, UsableNames().c_str());
}

}  // namespace lacos
