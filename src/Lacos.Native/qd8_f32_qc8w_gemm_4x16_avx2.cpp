// int8 rows x int8 weights on AVX2, exact. vpmaddubsw multiplies 32 unsigned by signed bytes and adds pairs in 16 bits;
// two of its results are added there before vpmaddwd widens them: five instructions for 64 multiply-adds, where
// vpmaddwd on widened bytes takes eight.
//
// With weights shifted to 0..255, the four products that meet in 16 bits stay within -32768..32767 if the positive
// codes among the four sum to at most 128, and the negative ones to at least -128. SplitRowAvx2 makes rows so: what is
// above is taken out of a row and multiplied in steps of its own. Where the weights themselves are known to be small
// enough (WeightReach), more may stay.
#include <immintrin.h>

#include "kernel_sets.h"
#include "row_split_avx2.h"

namespace lacos {
namespace {

constexpr int kRowsMost = 4;
constexpr int kColumns = 16;
constexpr size_t kGroupBytes = kSplitGroupBytes;
static_assert(kGroupBytes == kColumns * 4, "a group is four codes of every output");

inline __m256i Weights(const uint8_t* b) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b)); }

inline void LoadSums(const int32_t* from, __m256i* c) {
  c[0] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  c[1] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from) + 1);
}

inline void StoreSums(int32_t* to, const __m256i* c) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), c[0]);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to) + 1, c[1]);
}

// Eight columns of a row times their weights for eight outputs.
inline __m256i MultiplyPair(__m256i w0, __m256i x0, __m256i w1, __m256i x1) {
  const __m256i sums = _mm256_add_epi16(_mm256_maddubs_epi16(w0, x0), _mm256_maddubs_epi16(w1, x1));
  return _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
}

void AddExcess(const ExcessRun* first, const ExcessRun* last, const ExcessStep* step, const uint8_t* weights,
               int32_t* all_sums) {
  for (const ExcessRun* run = first; run != last; run++) {
    int32_t* sums = all_sums + run->row * kColumns;
    __m256i c[2];
    LoadSums(sums, c);
    for (const ExcessStep* end = step + run->steps; step != end; step++) {
      const uint8_t* b0 = weights + step->offsets[0];
      const uint8_t* b1 = weights + step->offsets[1];
      const __m256i x0 = _mm256_set1_epi32(step->codes[0]), x1 = _mm256_set1_epi32(step->codes[1]);
      c[0] = _mm256_add_epi32(c[0], MultiplyPair(Weights(b0), x0, Weights(b1), x1));
      c[1] = _mm256_add_epi32(c[1], MultiplyPair(Weights(b0 + 32), x0, Weights(b1 + 32), x1));
    }
    StoreSums(sums, c);
  }
}

template <int kRows>
void Tile(const Int8Tile& t) {
  const int8_t* a[kRows];
  __m256i c[kRows][2];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; i++) {
    a[i] = static_cast<const int8_t*>(t.a) + i * t.a_stride;
    if (t.accumulate) {
      LoadSums(t.c + i * kColumns, c[i]);
    } else {
      c[i][0] = c[i][1] = _mm256_setzero_si256();
    }
  }
  const __m256i ones = _mm256_set1_epi16(1);
  const uint8_t* b = t.b;
  const char* ahead = reinterpret_cast<const char*>(t.ahead);
  const size_t step = static_cast<size_t>(t.ahead_bytes);
  const size_t end = static_cast<size_t>(t.k_groups) * 4;
  size_t k = 0;
  for (; k + 8 <= end; k += 8) {
    _mm_prefetch(ahead, _MM_HINT_T0);
    _mm_prefetch(ahead + step, _MM_HINT_T0);
    const __m256i w00 = Weights(b), w01 = Weights(b + 32), w10 = Weights(b + 64), w11 = Weights(b + 96);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; i++) {
      const __m256i x0 = _mm256_set1_epi32(*reinterpret_cast<const int32_t*>(a[i] + k));
      const __m256i x1 = _mm256_set1_epi32(*reinterpret_cast<const int32_t*>(a[i] + k + 4));
      c[i][0] = _mm256_add_epi32(c[i][0], MultiplyPair(w00, x0, w10, x1));
      c[i][1] = _mm256_add_epi32(c[i][1], MultiplyPair(w01, x0, w11, x1));
    }
    b += 2 * kGroupBytes;
    ahead += 2 * step;
  }
  if (k < end) {
    const __m256i w0 = Weights(b), w1 = Weights(b + 32);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; i++) {
      const __m256i x = _mm256_set1_epi32(*reinterpret_cast<const int32_t*>(a[i] + k));
      c[i][0] = _mm256_add_epi32(c[i][0], _mm256_madd_epi16(_mm256_maddubs_epi16(w0, x), ones));
      c[i][1] = _mm256_add_epi32(c[i][1], _mm256_madd_epi16(_mm256_maddubs_epi16(w1, x), ones));
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < kRows; i++) StoreSums(t.c + i * kColumns, c[i]);
}

// One row whose codes nobody has split, widened to 16 bits: it runs at the speed of memory.
void Widened(const Int8Tile& t) {
  const int8_t* a = static_cast<const int8_t*>(t.a);
  const uint8_t* b = t.b;
  const char* ahead = reinterpret_cast<const char*>(t.ahead);
  __m256i c[4] = {};  // four outputs each, two sums an output
  for (int group = 0; group < t.k_groups; group++) {
    _mm_prefetch(ahead, _MM_HINT_T0);
    const __m128i codes =
        _mm_cvtepi8_epi16(_mm_cvtsi32_si128(*reinterpret_cast<const int32_t*>(a + static_cast<size_t>(group) * 4)));
    const __m256i x = _mm256_broadcastq_epi64(codes);
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b + 16 * j));
      c[j] = _mm256_add_epi32(c[j], _mm256_madd_epi16(_mm256_cvtepu8_epi16(bytes), x));
    }
    b += kGroupBytes;
    ahead += t.ahead_bytes;
  }
  for (int half = 0; half < 2; half++) {
    __m256i* to = reinterpret_cast<__m256i*>(t.c) + half;
    const __m256i sums = _mm256_permute4x64_epi64(_mm256_hadd_epi32(c[2 * half], c[2 * half + 1]), 0xD8);
    _mm256_storeu_si256(to, t.accumulate ? _mm256_add_epi32(_mm256_loadu_si256(to), sums) : sums);
  }
}

void Run(const Int8Tile& t) {
  if (!t.is_split) return Widened(t);
  switch (t.rows) {
    case 1:
      return Tile<1>(t);
    case 2:
      return Tile<2>(t);
    case 3:
      return Tile<3>(t);
    default:
      return Tile<kRowsMost>(t);
  }
}

}  // namespace

extern const Int8GemmKernel kInt8GemmAvx2 = {"qd8_f32_qc8w_gemm_4x16_avx2",
                                             kRowsMost,
                                             kColumns,
                                             4,
                                             0x80,
                                             128,
                                             Run,
                                             nullptr,
                                             SplitRowAvx2,
                                             AddExcess,
                                             WeightReachAvx2};

}  // namespace lacos
