// fp32 tile on NEON: attention scores, weighted values, and the weight-only and fp32 linear layers.
#include <arm_neon.h>

#include "kernel_sets.h"

namespace lacos {
namespace {

template <int kRows, int kVectors>
void Tile(const FloatTile& t) {
  const float* a[kRows];
  float32x4_t c[kRows][kVectors];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) {
    a[i] = t.a + i * t.a_stride;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) {
      c[i][v] = t.accumulate ? vld1q_f32(t.c + i * t.c_stride + v * 4) : vdupq_n_f32(0.0f);
    }
  }
  const float* b = t.b;
  for (int k = 0; k < t.k; k++) {
    float32x4_t w[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) w[v] = vld1q_f32(b + v * 4);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; i++) {
      const float32x4_t x = vdupq_n_f32(a[i][k]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; v++) c[i][v] = vfmaq_f32(c[i][v], x, w[v]);
    }
    b += t.b_stride;
  }
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) vst1q_f32(t.c + i * t.c_stride + v * 4, c[i][v]);
  }
}

template <int kRows>
void ByVectors(const FloatTile& t) {
  switch (t.vectors) {
    case 1:
      return Tile<kRows, 1>(t);
    case 2:
      return Tile<kRows, 2>(t);
    case 3:
      return Tile<kRows, 3>(t);
    default:
      return Tile<kRows, 4>(t);
  }
}

void Run(const FloatTile& t) {
  switch (t.rows) {
    case 1:
      return ByVectors<1>(t);
    case 2:
      return ByVectors<2>(t);
    case 3:
      return ByVectors<3>(t);
    case 4:
      return ByVectors<4>(t);
    case 5:
      return ByVectors<5>(t);
    default:
      return ByVectors<6>(t);
  }
}

}  // namespace

extern const FloatGemmKernel kFloatGemmNeon = {"f32_gemm_6x16_neon", 6, 16, 4, Run};

}  // namespace lacos
