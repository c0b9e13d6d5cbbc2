// The reference: an fp32 tile in a plain loop.
#include "kernel_sets.h"

namespace lacos {
namespace {

constexpr int kLanes = 8;
constexpr int kColumns = 16;

void Run(const FloatTile& t) {
  const int columns = t.vectors * kLanes;
  for (int i = 0; i < t.rows; i++) {
    const float* a = t.a + i * t.a_stride;
    float* c = t.c + i * t.c_stride;
    float sums[kColumns];
    for (int j = 0; j < columns; j++) sums[j] = t.accumulate ? c[j] : 0.0f;
    for (int k = 0; k < t.k; k++) {
      const float* b = t.b + k * t.b_stride;
      for (int j = 0; j < columns; j++) sums[j] += a[k] * b[j];
    }
    for (int j = 0; j < columns; j++) c[j] = sums[j];
  }
}

}  // namespace

extern const FloatGemmKernel kFloatGemmScalar = {"f32_gemm_4x16_scalar", 4, kColumns, kLanes, Run};

}  // namespace lacos
