#include <gtest/gtest.h>

#include "cpu_features.h"
#include "kernel_self_check.h"
#include "kernel_sets.h"

namespace lacos {

extern const Int8GemmKernel kInt8GemmAvxVnniEmulated;

namespace {

TEST(AvxVnniEmulation, TheLoopsOfTheKernelAreExact) {
#if defined(LACOS_EMULATES_AVXVNNI)
  if ((DetectCpuFeatures() & kAvx512Vnni) == 0) GTEST_SKIP() << "this CPU lacks avx512vnni";
  const KernelSet set = {"avxvnni emulated", "",           0, true, &kInt8GemmAvxVnniEmulated, &kFloatGemmAvx2,
                         &kVectorAvx2,       &kTrainingAvx2};
  EXPECT_STREQ(nullptr, SelfCheck(set));
#else
  GTEST_SKIP() << "the compiler has no AVX-VNNI";
#endif
}

}  // namespace
}  // namespace lacos
