// One vector of floats on AVX-512. Included only by files compiled for it; everything has internal linkage.
#ifndef LACOS_SIMD_AVX512_H_
#define LACOS_SIMD_AVX512_H_

#include <immintrin.h>

#include <cstdint>

#include "simd_lanes.h"

namespace {

constexpr int kLanes = 16;
using Vec = __m512;

inline __mmask16 FirstLanes(int n) { return static_cast<__mmask16>((1u << n) - 1); }
inline Vec Load(const float* p) { return _mm512_loadu_ps(p); }
inline Vec LoadFirst(const float* p, int n) { return _mm512_maskz_loadu_ps(FirstLanes(n), p); }
inline void Store(float* p, Vec v) { _mm512_storeu_ps(p, v); }
inline void StoreFirst(float* p, Vec v, int n) { _mm512_mask_storeu_ps(p, FirstLanes(n), v); }
inline Vec ZeroAfter(Vec v, int n) { return _mm512_maskz_mov_ps(FirstLanes(n), v); }
inline Vec Set(float x) { return _mm512_set1_ps(x); }
inline Vec Add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
inline Vec Sub(Vec a, Vec b) { return _mm512_sub_ps(a, b); }
inline Vec Mul(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
inline Vec Div(Vec a, Vec b) { return _mm512_div_ps(a, b); }
inline Vec MulAdd(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
inline Vec Max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
inline Vec Min(Vec a, Vec b) { return _mm512_min_ps(a, b); }
inline Vec Abs(Vec a) { return _mm512_abs_ps(a); }
inline float SumLanes(Vec v) {
  return SumLanes(_mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1)));
}
inline float MaxLanes(Vec v) {
  return MaxLanes(_mm256_max_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1)));
}
inline Vec ZeroUnlessBelow(Vec a, Vec limit) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, limit, _CMP_LT_OQ), a);
}
inline Vec FromInt(const int32_t* p, int32_t offset) {
  return _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_loadu_si512(p), _mm512_set1_epi32(offset)));
}
// v * 2^n for the n in the low bits of a float that is 1.5 * 2^23 + n.
inline Vec ScaleByPower(Vec v, Vec shifted) {
  return _mm512_castsi512_ps(
      _mm512_add_epi32(_mm512_castps_si512(v), _mm512_slli_epi32(_mm512_castps_si512(shifted), 23)));
}
// bfloat16, rounded to nearest even; not for NaN with a payload.
inline void StoreHalf(uint16_t* p, Vec v) {
  const __m512i bits = _mm512_castps_si512(v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i high = _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(high));
}
inline Vec LoadHalf(const uint16_t* p) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
// x where the mixed features and token reach the threshold, else 0; the mix is lowbias32 (see DropoutRow).
inline Vec ZeroUnlessKept(Vec x, const uint32_t* features, uint32_t token, uint32_t threshold) {
  __m512i mixed = _mm512_loadu_si512(features);
  mixed = _mm512_xor_si512(mixed, _mm512_set1_epi32(static_cast<int32_t>(token)));
  mixed = _mm512_xor_si512(mixed, _mm512_srli_epi32(mixed, 16));
  mixed = _mm512_mullo_epi32(mixed, _mm512_set1_epi32(0x7feb352d));
  mixed = _mm512_xor_si512(mixed, _mm512_srli_epi32(mixed, 15));
  mixed = _mm512_mullo_epi32(mixed, _mm512_set1_epi32(static_cast<int32_t>(0x846ca68bu)));
  mixed = _mm512_xor_si512(mixed, _mm512_srli_epi32(mixed, 16));
  return _mm512_maskz_mov_ps(_mm512_cmpge_epu32_mask(mixed, _mm512_set1_epi32(static_cast<int32_t>(threshold))), x);
}

// A square of floats in registers: rows become columns. Step by step, squares of 1, 2, 4 and 8 change places across the
// diagonals of those that are twice as large.
constexpr int kSquare = 16;
template <int kStep>
inline void ExchangeSquares(Vec* rows) {
  // Of two rows: lanes of the first count from 0, of the second from kSquare.
  int32_t upper[kSquare];
  int32_t lower[kSquare];
  for (int i = 0; i < kSquare; i++) {
    upper[i] = (i & kStep) != 0 ? kSquare + (i ^ kStep) : i;
    lower[i] = (i & kStep) != 0 ? kSquare + i : i ^ kStep;
  }
  const __m512i low = _mm512_loadu_si512(upper);
  const __m512i high = _mm512_loadu_si512(lower);
#pragma GCC unroll 16
  for (int i = 0; i < kSquare; i++) {
    if ((i & kStep) != 0) continue;
    const Vec a = rows[i];
    const Vec b = rows[i + kStep];
    rows[i] = _mm512_permutex2var_ps(a, low, b);
    rows[i + kStep] = _mm512_permutex2var_ps(a, high, b);
  }
}
inline void TransposeSquare(Vec* rows) {
  ExchangeSquares<1>(rows);
  ExchangeSquares<2>(rows);
  ExchangeSquares<4>(rows);
  ExchangeSquares<8>(rows);
}

using Ints = __m512i;
// Rounded to even.
inline Ints ToInts(Vec v) { return _mm512_cvtps_epi32(v); }
inline Ints ZeroInts() { return _mm512_setzero_si512(); }
inline Ints AddInts(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
inline int32_t SumInts(Ints v) {
  return SumInts(_mm256_add_epi32(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1)));
}
inline void StoreInt8(int8_t* p, Ints v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtsepi32_epi8(v)); }
// Vectors of integers that make one of codes.
constexpr int kByteVectors = 4;
// Stores them, none below -127, and adds them to sums.
inline Ints StoreCodes(int8_t* p, const Ints* v, Ints sums) {
  // Packed quarter by quarter: those of v[0], v[1], ... come to lie four bytes each, first all lowest ones.
  const __m512i packed = _mm512_packs_epi16(_mm512_packs_epi32(v[0], v[1]), _mm512_packs_epi32(v[2], v[3]));
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i codes = _mm512_max_epi8(_mm512_permutexvar_epi32(order, packed), _mm512_set1_epi8(-127));
  _mm512_storeu_si512(p, codes);
  const __m512i pairs = _mm512_maddubs_epi16(_mm512_set1_epi8(1), codes);
  return AddInts(sums, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}

}  // namespace

#endif  // LACOS_SIMD_AVX512_H_
