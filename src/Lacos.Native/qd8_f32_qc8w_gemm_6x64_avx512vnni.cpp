// int8 rows x int8 weights on AVX512-VNNI. vpdpbusd multiplies unsigned by signed bytes, so weights are stored shifted
// by 128 and the sums exceed the product by 128 * (sum of the row), which the epilogue takes off. Sums are modulo 2^32
// and exact after that.
#include <immintrin.h>

#include "kernel_sets.h"
#include "tile_rows.h"

namespace lacos {
namespace {

constexpr int kColumns = 64;
constexpr int kVectors = 4;

template <int kRows, int kAheadLines>
void Tile(const Int8Tile& t) {
  const int8_t* a[kRows];
  __m512i c[kRows][kVectors];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) {
    a[i] = static_cast<const int8_t*>(t.a) + i * t.a_stride;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) {
      c[i][v] = t.accumulate ? _mm512_loadu_si512(t.c + i * kColumns + v * 16) : _mm512_setzero_si512();
    }
  }
  const uint8_t* b = t.b;
  const char* ahead = reinterpret_cast<const char*>(t.ahead);
  const size_t ahead_step = static_cast<size_t>(t.ahead_bytes);
  const size_t end = static_cast<size_t>(t.k_groups) * 4;
  for (size_t k = 0; k < end; k += 4) {
    __m512i w[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) w[v] = _mm512_loadu_si512(b + v * 64);
      // Into the second-level cache: the first has no room for them, and its few misses under way are the tile's own.
#pragma GCC unroll 4
    for (int line = 0; line < kAheadLines; line++) _mm_prefetch(ahead + line * 64, _MM_HINT_T1);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; i++) {
      const __m512i x = _mm512_set1_epi32(*reinterpret_cast<const int32_t*>(a[i] + k));
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; v++) c[i][v] = _mm512_dpbusd_epi32(c[i][v], w[v], x);
    }
    b += kVectors * 64;
    ahead += ahead_step;
  }
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) _mm512_storeu_si512(t.c + i * kColumns + v * 16, c[i][v]);
  }
}

template <int kAheadLines>
void Ahead(const Int8Tile& t) {
  ByRows<6>(t.rows, [&](auto rows) { Tile<decltype(rows)::value, kAheadLines>(t); });
}

void Run(const Int8Tile& t) {
  if (t.ahead_bytes == 0) return Ahead<0>(t);
  if (t.ahead_bytes <= 64) return Ahead<1>(t);
  if (t.ahead_bytes <= 128) return Ahead<2>(t);
  return Ahead<4>(t);
}

}  // namespace

extern const Int8GemmKernel kInt8GemmAvx512Vnni = {"qd8_f32_qc8w_gemm_6x64_avx512vnni",
                                                   6,
                                                   kColumns,
                                                   4,
                                                   0x80,
                                                   128,
                                                   Run,
                                                   nullptr,
                                                   nullptr,
                                                   nullptr,
                                                   nullptr,
                                                   size_t{64} << 20,
                                                   4096};

}  // namespace lacos
