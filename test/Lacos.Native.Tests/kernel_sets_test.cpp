// Which kernels there are, and that forcing and refusing work.
#include "kernel_sets.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "kernel_self_check.h"
#include "lacos_native.h"
#include "numbers.h"
#include "status.h"
#include "test_kernels.h"

namespace lacos {
namespace {

TEST(KernelSets, EveryOneIsListedWithItsStateAndOneIsDefault) {
  int defaults = 0;
  ASSERT_EQ(8, lacos_kernel_count());
  for (int i = 0; i < lacos_kernel_count(); i++) {
    lacos_kernel_info info{};
    ASSERT_EQ(LACOS_OK, lacos_kernel_get(i, &info));
    defaults += info.is_default;
    EXPECT_STRNE("", info.state);
    std::printf("  %-11s %-36s %s\n", info.name, info.gemm, info.state);
  }
  EXPECT_EQ(1, defaults);
  lacos_kernel_info info{};
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_kernel_get(-1, &info));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_kernel_get(99, &info));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_kernel_get(0, nullptr));
}

TEST(KernelSets, WhatIsBuiltAndSupportedPassesItsSelfCheck) {
  for (const KernelState& state : Kernels().states) {
    EXPECT_EQ(state.set->built && state.supported, state.usable) << state.set->name << ": " << state.state;
  }
}

TEST(KernelSets, UnknownAndMissingOnesAreRefusedByName) {
  try {
    SelectKernels("mmx");
    FAIL() << "no such kernels";
  } catch (const Error& error) {
    EXPECT_EQ(LACOS_INVALID_ARGUMENT, error.status);
    EXPECT_NE(nullptr, std::strstr(error.message, "mmx"));
    EXPECT_NE(nullptr, std::strstr(error.message, "scalar"));
  }
  for (const KernelState& state : Kernels().states) {
    if (state.usable) continue;
    try {
      SelectKernels(state.set->name);
      FAIL() << state.set->name;
    } catch (const Error& error) {
      EXPECT_EQ(LACOS_UNSUPPORTED, error.status);
      EXPECT_NE(nullptr, std::strstr(error.message, state.state.c_str()));
    }
  }
}

#if !defined(_WIN32)
TEST(KernelSets, TheEnvironmentForcesOne) {
  const char* before = std::getenv("LACOS_FORCE_ISA");
  const std::string kept = before == nullptr ? "" : before;
  for (const std::string& name : UsableKernels()) {
    setenv("LACOS_FORCE_ISA", name.c_str(), 1);
    EXPECT_EQ(name, SelectKernels(nullptr).name);
    EXPECT_STREQ("scalar", SelectKernels("scalar").name) << "a name given in code wins over the environment";
  }
  setenv("LACOS_FORCE_ISA", "sse1", 1);
  EXPECT_THROW(SelectKernels(nullptr), Error);
  if (kept.empty()) {
    unsetenv("LACOS_FORCE_ISA");
  } else {
    setenv("LACOS_FORCE_ISA", kept.c_str(), 1);
  }
}
#endif

void SaturatingTile(const Int8Tile& t) {
  kInt8GemmScalar.tile(t);
  for (int i = 0; i < t.rows * kInt8GemmScalar.columns; i++) t.c[i] = t.c[i] > 32767 ? 32767 : t.c[i];
}

void ForgetfulNorm(const float* x, int n, const float*, const float*, float, float* y) {
  for (int i = 0; i < n; i++) y[i] = x[i];
}

void LinearFinish(const Finish& f) {
  Finish without = f;
  without.gelu = false;
  kVectorScalar.finish(without);
}

void TrustingQuantisation(QuantizeRow& row) {
  kVectorScalar.quantize_row(row);
  row.scale = std::isnan(row.scale) ? 0.0f : row.scale;
}

float FlatSoftmax(float* s, int n, int padded, float scale, float) {
  return kVectorScalar.softmax(s, n, padded, scale, 0.0f);
}

void UnscaledCopy(const float* x, int n, float, float* y) {
  for (int i = 0; i < n; i++) y[i] = x[i];
}

void ShortTile(const FloatTile& t) {
  FloatTile first = t;
  // Only deep products are wrong: of all checks, attention alone has one.
  if (first.k > 5) first.k -= 1;
  kFloatGemmScalar.tile(first);
}

TEST(KernelSets, TheSelfCheckSeesASaturatingProductAndEveryWrongRowOperation) {
  Int8GemmKernel gemm = kInt8GemmScalar;
  gemm.tile = SaturatingTile;
  EXPECT_STREQ("int8 product", SelfCheck({"x", "", 0, true, &gemm, &kFloatGemmScalar, &kVectorScalar}));
  FloatGemmKernel floats = kFloatGemmScalar;
  floats.tile = ShortTile;
  EXPECT_STREQ("attention", SelfCheck({"x", "", 0, true, &kInt8GemmScalar, &floats, &kVectorScalar}));
  const auto failure = [](const auto& change) {
    VectorKernels vector = kVectorScalar;
    change(vector);
    return std::string(SelfCheck({"x", "", 0, true, &kInt8GemmScalar, &kFloatGemmScalar, &vector}));
  };
  EXPECT_EQ("layer norm", failure([](VectorKernels& v) { v.layer_norm = ForgetfulNorm; }));
  EXPECT_EQ("row quantisation", failure([](VectorKernels& v) { v.quantize_row = TrustingQuantisation; }));
  EXPECT_EQ("GELU", failure([](VectorKernels& v) { v.finish = LinearFinish; }));
  EXPECT_EQ("softmax", failure([](VectorKernels& v) { v.softmax = FlatSoftmax; }));
  EXPECT_EQ("softmax", failure([](VectorKernels& v) { v.scale = UnscaledCopy; }));
}

class FloatGemm : public EveryKernelSet {};

TEST_P(FloatGemm, SumsOneChainPerElementWhateverTheTile) {
  const FloatGemmKernel& gemm = *kernels().float_gemm;
  const int k = 37, m = gemm.rows, n = gemm.columns;
  Numbers numbers(11);
  const std::vector<float> a = numbers.Normals(static_cast<size_t>(m) * k, 1.0f);
  const std::vector<float> b = numbers.Normals(static_cast<size_t>(k) * n, 1.0f);
  std::vector<float> whole(static_cast<size_t>(m) * n);
  const size_t width = static_cast<size_t>(n);
  gemm.tile({m, n / gemm.lanes, k, false, a.data(), k, b.data(), width, whole.data(), width});
  for (int rows = 1; rows <= m; rows++) {
    for (int vectors = 1; vectors <= n / gemm.lanes; vectors++) {
      std::vector<float> part(whole.size());
      const int cut = 13;
      gemm.tile({rows, vectors, cut, false, a.data(), k, b.data(), width, part.data(), width});
      gemm.tile({rows, vectors, k - cut, true, a.data() + cut, k, b.data() + cut * width, width, part.data(), width});
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < vectors * gemm.lanes; j++) ASSERT_EQ(whole[i * width + j], part[i * width + j]);
      }
    }
  }
}

LACOS_ON_EVERY_KERNEL_SET(FloatGemm);

}  // namespace
}  // namespace lacos
