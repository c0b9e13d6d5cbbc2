// Which kernel set a model gets, and why.
#ifndef LACOS_KERNEL_SELECTION_H_
#define LACOS_KERNEL_SELECTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "kernel.h"

namespace lacos {

struct KernelState {
  const KernelSet* set;
  bool supported;  // the CPU has what it needs
  bool usable;     // built, supported, and its self-check passed
  bool is_default;
  std::string state;  // in words
  std::string requirement;
};

struct KernelSelection {
  uint32_t features;
  std::string feature_names;
  std::string cpu_name;
  std::vector<KernelState> states;  // in the order of kKernelSets
};

// Detected and checked once, at first use.
const KernelSelection& Kernels();

// The set named by isa; where isa is null or empty the one LACOS_FORCE_ISA names, else the default. Throws Error
// LACOS_UNSUPPORTED for one that cannot run here, LACOS_INVALID_ARGUMENT for a name nobody knows.
const KernelSet& SelectKernels(const char* isa);

}  // namespace lacos

#endif  // LACOS_KERNEL_SELECTION_H_
