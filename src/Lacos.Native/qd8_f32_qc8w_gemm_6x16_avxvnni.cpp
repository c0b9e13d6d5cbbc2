// int8 rows x int8 weights on AVX-VNNI: the 256-bit form of vpdpbusd for CPUs without AVX-512. Weights are shifted as
// in the AVX512-VNNI kernel.
#include <immintrin.h>

#include "kernel_sets.h"
#include "tile_rows.h"

namespace lacos {
namespace {

constexpr int kColumns = 16;

template <int kRows>
void Tile(const Int8Tile& t) {
  const int8_t* a[kRows];
  __m256i c[kRows][2];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) {
    a[i] = static_cast<const int8_t*>(t.a) + i * t.a_stride;
    const __m256i* from = reinterpret_cast<const __m256i*>(t.c + i * kColumns);
    c[i][0] = t.accumulate ? _mm256_loadu_si256(from) : _mm256_setzero_si256();
    c[i][1] = t.accumulate ? _mm256_loadu_si256(from + 1) : _mm256_setzero_si256();
  }
  const uint8_t* b = t.b;
  const char* ahead = reinterpret_cast<const char*>(t.ahead);
  const size_t step = static_cast<size_t>(t.ahead_bytes);
  const size_t end = static_cast<size_t>(t.k_groups) * 4;
  for (size_t k = 0; k < end; k += 4) {
    const __m256i w0 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b));
    const __m256i w1 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + 32));
    _mm_prefetch(ahead, _MM_HINT_T0);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; i++) {
      const __m256i x = _mm256_set1_epi32(*reinterpret_cast<const int32_t*>(a[i] + k));
      c[i][0] = _mm256_dpbusd_avx_epi32(c[i][0], w0, x);
      c[i][1] = _mm256_dpbusd_avx_epi32(c[i][1], w1, x);
    }
    b += 64;
    ahead += step;
  }
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) {
    __m256i* to = reinterpret_cast<__m256i*>(t.c + i * kColumns);
    _mm256_storeu_si256(to, c[i][0]);
    _mm256_storeu_si256(to + 1, c[i][1]);
  }
}

void Run(const Int8Tile& t) {
  ByRows<6>(t.rows, [&](auto rows) { Tile<decltype(rows)::value>(t); });
}

}  // namespace

extern const Int8GemmKernel kInt8GemmAvxVnni = {
    "qd8_f32_qc8w_gemm_6x16_avxvnni", 6, kColumns, 4, 0x80, 128, Run, nullptr};

}  // namespace lacos
