// The kernel sets that a test can run here.
#ifndef LACOS_TEST_KERNELS_H_
#define LACOS_TEST_KERNELS_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kernel_selection.h"

namespace lacos {

inline std::vector<std::string> UsableKernels() {
  std::vector<std::string> names;
  for (const KernelState& state : Kernels().states) {
    if (state.usable) names.emplace_back(state.set->name);
  }
  return names;
}

class EveryKernelSet : public testing::TestWithParam<std::string> {
 protected:
  const KernelSet& kernels() const { return SelectKernels(GetParam().c_str()); }
};

#define LACOS_ON_EVERY_KERNEL_SET(suite)                                                \
  INSTANTIATE_TEST_SUITE_P(Kernels, suite, testing::ValuesIn(::lacos::UsableKernels()), \
                           [](const testing::TestParamInfo<std::string>& info) { return info.param; })

}  // namespace lacos

#endif  // LACOS_TEST_KERNELS_H_
