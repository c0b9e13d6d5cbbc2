// One vector of floats on AVX2 with FMA. Included only by files compiled for it; everything has internal linkage.
#ifndef LACOS_SIMD_AVX2_H_
#define LACOS_SIMD_AVX2_H_

#include <immintrin.h>

#include <cstdint>

#include "simd_lanes.h"

namespace {

constexpr int kLanes = 8;
using Vec = __m256;

inline __m256i FirstLanes(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline Vec Load(const float* p) { return _mm256_loadu_ps(p); }
inline Vec LoadFirst(const float* p, int n) { return _mm256_maskload_ps(p, FirstLanes(n)); }
inline void Store(float* p, Vec v) { _mm256_storeu_ps(p, v); }
inline void StoreFirst(float* p, Vec v, int n) { _mm256_maskstore_ps(p, FirstLanes(n), v); }
inline Vec ZeroAfter(Vec v, int n) { return _mm256_and_ps(v, _mm256_castsi256_ps(FirstLanes(n))); }
inline Vec Set(float x) { return _mm256_set1_ps(x); }
inline Vec Add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
inline Vec Sub(Vec a, Vec b) { return _mm256_sub_ps(a, b); }
inline Vec Mul(Vec a, Vec b) { return _mm256_mul_ps(a, b); }
inline Vec Div(Vec a, Vec b) { return _mm256_div_ps(a, b); }
inline Vec MulAdd(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
inline Vec Max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
inline Vec Min(Vec a, Vec b) { return _mm256_min_ps(a, b); }
inline Vec Abs(Vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
inline Vec ZeroUnlessBelow(Vec a, Vec limit) { return _mm256_and_ps(a, _mm256_cmp_ps(a, limit, _CMP_LT_OQ)); }
inline Vec FromInt(const int32_t* p, int32_t offset) {
  const __m256i sums = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return _mm256_cvtepi32_ps(_mm256_sub_epi32(sums, _mm256_set1_epi32(offset)));
}
// v * 2^n for the n in the low bits of a float that is 1.5 * 2^23 + n.
inline Vec ScaleByPower(Vec v, Vec shifted) {
  return _mm256_castsi256_ps(
      _mm256_add_epi32(_mm256_castps_si256(v), _mm256_slli_epi32(_mm256_castps_si256(shifted), 23)));
}
// bfloat16, rounded to nearest even; not for NaN with a payload.
inline void StoreHalf(uint16_t* p, Vec v) {
  const __m256i bits = _mm256_castps_si256(v);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i high = _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
  const __m128i packed = _mm_packus_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256(high, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), packed);
}
inline Vec LoadHalf(const uint16_t* p) {
  const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
// x where the mixed features and token reach the threshold, else 0; the mix is lowbias32 (see DropoutRow).
inline Vec ZeroUnlessKept(Vec x, const uint32_t* features, uint32_t token, uint32_t threshold) {
  __m256i mixed = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(features));
  mixed = _mm256_xor_si256(mixed, _mm256_set1_epi32(static_cast<int32_t>(token)));
  mixed = _mm256_xor_si256(mixed, _mm256_srli_epi32(mixed, 16));
  mixed = _mm256_mullo_epi32(mixed, _mm256_set1_epi32(0x7feb352d));
  mixed = _mm256_xor_si256(mixed, _mm256_srli_epi32(mixed, 15));
  mixed = _mm256_mullo_epi32(mixed, _mm256_set1_epi32(static_cast<int32_t>(0x846ca68bu)));
  mixed = _mm256_xor_si256(mixed, _mm256_srli_epi32(mixed, 16));
  const __m256i limit = _mm256_set1_epi32(static_cast<int32_t>(threshold));
  return _mm256_and_ps(x, _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_max_epu32(mixed, limit), mixed)));
}

// A square of floats in registers: rows become columns.
constexpr int kSquare = 8;
inline void TransposeSquare(Vec* rows) {
  Vec four[kSquare];
#pragma GCC unroll 2
  for (int i = 0; i < kSquare; i += 4) {
    const Vec a = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
    const Vec b = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
    const Vec c = _mm256_unpacklo_ps(rows[i + 2], rows[i + 3]);
    const Vec d = _mm256_unpackhi_ps(rows[i + 2], rows[i + 3]);
    four[i] = _mm256_shuffle_ps(a, c, 0x44);
    four[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
    four[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
    four[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    rows[i] = _mm256_permute2f128_ps(four[i], four[i + 4], 0x20);
    rows[i + 4] = _mm256_permute2f128_ps(four[i], four[i + 4], 0x31);
  }
}

using Ints = __m256i;
// Rounded to even.
inline Ints ToInts(Vec v) { return _mm256_cvtps_epi32(v); }
inline Ints ZeroInts() { return _mm256_setzero_si256(); }
inline Ints AddInts(Ints a, Ints b) { return _mm256_add_epi32(a, b); }
inline void StoreInt8(int8_t* p, Ints v) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
}
// Vectors of integers that make one of codes.
constexpr int kByteVectors = 4;
// Stores them, none below -127, and adds them to sums.
inline Ints StoreCodes(int8_t* p, const Ints* v, Ints sums) {
  // Packed half by half: the halves of v[0], v[1], ... come to lie four bytes each, first all lower ones.
  const __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(v[0], v[1]), _mm256_packs_epi32(v[2], v[3]));
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const __m256i codes = _mm256_max_epi8(_mm256_permutevar8x32_epi32(packed, order), _mm256_set1_epi8(-127));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), codes);
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), codes);
  return AddInts(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

}  // namespace

#endif  // LACOS_SIMD_AVX2_H_
