// The reference: int8 rows x int8 weights in a plain loop.
#include "kernel_sets.h"

namespace lacos {
namespace {

constexpr int kColumns = 16;

void Run(const Int8Tile& t) {
  for (int i = 0; i < t.rows; i++) {
    const int8_t* a = static_cast<const int8_t*>(t.a) + i * t.a_stride;
    int32_t* c = t.c + i * kColumns;
    int32_t sums[kColumns];
    for (int j = 0; j < kColumns; j++) sums[j] = t.accumulate ? c[j] : 0;
    for (int k = 0; k < t.k_groups; k++) {
      const int8_t* b = reinterpret_cast<const int8_t*>(t.b) + static_cast<size_t>(k) * kColumns;
      for (int j = 0; j < kColumns; j++) sums[j] += static_cast<int32_t>(a[k]) * b[j];
    }
    for (int j = 0; j < kColumns; j++) c[j] = sums[j];
  }
}

}  // namespace

extern const Int8GemmKernel kInt8GemmScalar = {"qd8_f32_qc8w_gemm_4x16_scalar", 4, kColumns, 1, 0, 0, Run, nullptr};

}  // namespace lacos
