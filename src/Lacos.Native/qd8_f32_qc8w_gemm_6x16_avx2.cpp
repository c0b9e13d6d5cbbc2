// int8 rows x int8 weights on AVX2. vpmaddubsw would saturate its 16-bit sums; here both sides are widened to 16 bits
// and vpmaddwd adds pairs in 32 bits, which is exact for every pair of codes, -128 included.
#include <immintrin.h>

#include "kernel_sets.h"

namespace lacos {
namespace {

constexpr int kColumns = 16;

template <int kRows>
void Tile(const Int8Tile& t) {
  const int16_t* a[kRows];
  __m256i c[kRows][2];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) {
    a[i] = reinterpret_cast<const int16_t*>(static_cast<const char*>(t.a) + i * t.a_stride);
    const __m256i* from = reinterpret_cast<const __m256i*>(t.c + i * kColumns);
    c[i][0] = t.accumulate ? _mm256_loadu_si256(from) : _mm256_setzero_si256();
    c[i][1] = t.accumulate ? _mm256_loadu_si256(from + 1) : _mm256_setzero_si256();
  }
  const uint8_t* b = t.b;
  const char* ahead = reinterpret_cast<const char*>(t.ahead);
  const size_t step = static_cast<size_t>(t.ahead_bytes);
  const size_t end = static_cast<size_t>(t.k_groups) * 2;
  const auto add_group = [&](size_t k) {
    const __m256i w0 = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(b)));
    const __m256i w1 = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(b + 16)));
#pragma GCC unroll 6
    for (int i = 0; i < kRows; i++) {
      const __m256i x = _mm256_set1_epi32(*reinterpret_cast<const int32_t*>(a[i] + k));
      c[i][0] = _mm256_add_epi32(c[i][0], _mm256_madd_epi16(w0, x));
      c[i][1] = _mm256_add_epi32(c[i][1], _mm256_madd_epi16(w1, x));
    }
    b += 32;
    ahead += step;
  };
  size_t k = 0;
  // One row runs at the speed of memory: a line of weights a turn, fetched once.
  for (; kRows == 1 && k + 4 <= end; k += 4) {
    _mm_prefetch(ahead, _MM_HINT_T0);
    add_group(k);
    add_group(k + 2);
  }
  for (; k < end; k += 2) {
    _mm_prefetch(ahead, _MM_HINT_T0);
    add_group(k);
  }
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) {
    __m256i* to = reinterpret_cast<__m256i*>(t.c + i * kColumns);
    _mm256_storeu_si256(to, c[i][0]);
    _mm256_storeu_si256(to + 1, c[i][1]);
  }
}

void Run(const Int8Tile& t) {
  switch (t.rows) {
    case 1:
      return Tile<1>(t);
    case 2:
      return Tile<2>(t);
    case 3:
      return Tile<3>(t);
    case 4:
      return Tile<4>(t);
    case 5:
      return Tile<5>(t);
    default:
      return Tile<6>(t);
  }
}

}  // namespace

extern const Int8GemmKernel kInt8GemmAvx2 = {"qd8_f32_qc8w_gemm_6x16_avx2", 6, kColumns, 2, 2, 0, 0, Run, nullptr};

}  // namespace lacos
