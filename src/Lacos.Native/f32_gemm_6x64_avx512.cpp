// fp32 tile on AVX-512: attention scores, weighted values, and the weight-only and fp32 linear layers.
#include <immintrin.h>

#include "kernel_sets.h"

namespace lacos {
namespace {

template <int kRows, int kVectors>
void Tile(const FloatTile& t) {
  const float* a[kRows];
  __m512 c[kRows][kVectors];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) {
    a[i] = t.a + i * t.a_stride;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) {
      c[i][v] = t.accumulate ? _mm512_loadu_ps(t.c + i * t.c_stride + v * 16) : _mm512_setzero_ps();
    }
  }
  const float* b = t.b;
  for (int k = 0; k < t.k; k++) {
    __m512 w[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) w[v] = _mm512_loadu_ps(b + v * 16);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; i++) {
      const __m512 x = _mm512_set1_ps(a[i][k]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; v++) c[i][v] = _mm512_fmadd_ps(x, w[v], c[i][v]);
    }
    b += t.b_stride;
  }
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) _mm512_storeu_ps(t.c + i * t.c_stride + v * 16, c[i][v]);
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

extern const FloatGemmKernel kFloatGemmAvx512 = {"f32_gemm_6x64_avx512", 6, 64, 16, Run};

}  // namespace lacos
