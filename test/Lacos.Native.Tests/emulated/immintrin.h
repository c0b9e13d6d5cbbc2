// Found before the compiler's own header by files that are compiled for emulation: the AVX-512, AVX-VNNI and AMX
// intrinsics that the kernels use, in plain C++. The kernels' files stay as they are, and every test can run on them on
// any CPU with AVX2. An intrinsic that is missing here does not compile. Semantics: Intel Intrinsics Guide.
#ifndef LACOS_EMULATED_IMMINTRIN_H_
#define LACOS_EMULATED_IMMINTRIN_H_

#include_next <immintrin.h>

#include <cstdint>
#include <cstring>

namespace {

using Floats16 = float __attribute__((vector_size(64)));
using Ints16 = int32_t __attribute__((vector_size(64)));
using Words16 = uint32_t __attribute__((vector_size(64)));

template <class T>
T EmulatedLoad(const void* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <class T>
void EmulatedStore(void* p, const T& v) {
  std::memcpy(p, &v, sizeof v);
}

template <class F>
__m512 EachFloat(F f) {
  Floats16 r;
  for (int i = 0; i < 16; i++) r[i] = f(i);
  return (__m512)r;
}

template <class F>
__m512i EachInt(F f) {
  Ints16 r;
  for (int i = 0; i < 16; i++) r[i] = static_cast<int32_t>(f(i));
  return (__m512i)r;
}

inline int32_t Saturated(int32_t value, int32_t low, int32_t high) {
  return value < low ? low : value > high ? high : value;
}

// sums + the four products of each lane, unsigned by signed, modulo 2^32.
template <int kLanes>
void EmulatedDotProducts(uint32_t* sums, const uint8_t* a, const int8_t* b) {
  for (int i = 0; i < kLanes; i++) {
    int32_t sum = 0;
    for (int j = 0; j < 4; j++) sum += a[4 * i + j] * b[4 * i + j];
    sums[i] += static_cast<uint32_t>(sum);
  }
}

inline __m512 Emulated_setzero_ps() { return (__m512)Floats16{}; }
inline __m512i Emulated_setzero_si512() { return (__m512i)Ints16{}; }
inline __m512 Emulated_set1_ps(float x) { return (__m512)(Floats16{} + x); }
inline __m512i Emulated_set1_epi32(int32_t x) { return (__m512i)(Ints16{} + x); }
inline __m512i Emulated_set1_epi8(char x) {
  return Emulated_set1_epi32(static_cast<int32_t>(static_cast<uint8_t>(x) * 0x01010101u));
}

inline __m512 Emulated_loadu_ps(const void* p) { return EmulatedLoad<__m512>(p); }
inline __m512i Emulated_loadu_si512(const void* p) { return EmulatedLoad<__m512i>(p); }
inline void Emulated_storeu_ps(void* p, __m512 v) { EmulatedStore(p, v); }
inline void Emulated_storeu_si512(void* p, __m512i v) { EmulatedStore(p, v); }
// Lanes that are left out are not touched: they may lie behind the end of a page.
inline __m512 Emulated_maskz_loadu_ps(__mmask16 mask, const void* p) {
  return EachFloat([=](int i) { return (mask >> i & 1) != 0 ? static_cast<const float*>(p)[i] : 0.0f; });
}
inline void Emulated_mask_storeu_ps(void* p, __mmask16 mask, __m512 v) {
  for (int i = 0; i < 16; i++) {
    if ((mask >> i & 1) != 0) static_cast<float*>(p)[i] = v[i];
  }
}
inline __m512 Emulated_maskz_mov_ps(__mmask16 mask, __m512 v) {
  return EachFloat([&](int i) { return (mask >> i & 1) != 0 ? v[i] : 0.0f; });
}

inline __m512 Emulated_castsi512_ps(__m512i v) { return (__m512)v; }
inline __m512i Emulated_castps_si512(__m512 v) { return (__m512i)v; }
inline __m256 Emulated_castps512_ps256(__m512 v) { return EmulatedLoad<__m256>(&v); }
inline __m256i Emulated_castsi512_si256(__m512i v) { return EmulatedLoad<__m256i>(&v); }
template <int kHalf>
__m256 EmulatedFloatHalf(__m512 v) {
  static_assert(kHalf == 0 || kHalf == 1, "a vector has two halves");
  return EmulatedLoad<__m256>(reinterpret_cast<const char*>(&v) + 32 * kHalf);
}
template <int kHalf>
__m256i EmulatedIntHalf(__m512i v) {
  static_assert(kHalf == 0 || kHalf == 1, "a vector has two halves");
  return EmulatedLoad<__m256i>(reinterpret_cast<const char*>(&v) + 32 * kHalf);
}

inline __m512 Emulated_add_ps(__m512 a, __m512 b) { return a + b; }
inline __m512 Emulated_sub_ps(__m512 a, __m512 b) { return a - b; }
inline __m512 Emulated_mul_ps(__m512 a, __m512 b) { return a * b; }
inline __m512 Emulated_div_ps(__m512 a, __m512 b) { return a / b; }
inline __m512 Emulated_fmadd_ps(__m512 a, __m512 b, __m512 c) {
  return EachFloat([&](int i) { return __builtin_fmaf(a[i], b[i], c[i]); });
}
// The second operand where one is NaN.
inline __m512 Emulated_max_ps(__m512 a, __m512 b) {
  return EachFloat([&](int i) { return a[i] > b[i] ? a[i] : b[i]; });
}
inline __m512 Emulated_min_ps(__m512 a, __m512 b) {
  return EachFloat([&](int i) { return a[i] < b[i] ? a[i] : b[i]; });
}
inline __m512 Emulated_abs_ps(__m512 v) { return (__m512)((Ints16)v & 0x7fffffff); }
template <int kPredicate>
__mmask16 EmulatedCompare(__m512 a, __m512 b) {
  static_assert(kPredicate == _CMP_LT_OQ, "only this comparison is emulated");
  unsigned mask = 0;
  for (int i = 0; i < 16; i++) mask |= (a[i] < b[i] ? 1u : 0u) << i;
  return static_cast<__mmask16>(mask);
}

inline __m512i Emulated_add_epi32(__m512i a, __m512i b) { return (__m512i)((Words16)a + (Words16)b); }
inline __m512i Emulated_sub_epi32(__m512i a, __m512i b) { return (__m512i)((Words16)a - (Words16)b); }
inline __m512i Emulated_mullo_epi32(__m512i a, __m512i b) { return (__m512i)((Words16)a * (Words16)b); }
inline __m512i Emulated_and_si512(__m512i a, __m512i b) { return a & b; }
inline __m512i Emulated_xor_si512(__m512i a, __m512i b) { return a ^ b; }
inline __m512i Emulated_slli_epi32(__m512i v, unsigned count) { return (__m512i)((Words16)v << count); }
inline __m512i Emulated_srli_epi32(__m512i v, unsigned count) { return (__m512i)((Words16)v >> count); }
inline __mmask16 Emulated_cmpge_epu32_mask(__m512i a, __m512i b) {
  unsigned mask = 0;
  for (int i = 0; i < 16; i++) mask |= (((Words16)a)[i] >= ((Words16)b)[i] ? 1u : 0u) << i;
  return static_cast<__mmask16>(mask);
}

inline __m512 Emulated_cvtepi32_ps(__m512i v) {
  return EachFloat([&](int i) { return static_cast<float>(((Ints16)v)[i]); });
}
// Rounded to even; what no int32 can hold, and NaN, become the smallest one.
inline __m512i Emulated_cvtps_epi32(__m512 v) {
  return EachInt([&](int i) { return _mm_cvtss_si32(_mm_set_ss(v[i])); });
}
inline __m512i Emulated_cvtepu16_epi32(__m256i v) {
  uint16_t words[16];
  EmulatedStore(words, v);
  return EachInt([&](int i) { return words[i]; });
}
inline __m256i Emulated_cvtepi32_epi16(__m512i v) {
  uint16_t words[16];
  for (int i = 0; i < 16; i++) words[i] = static_cast<uint16_t>(((Words16)v)[i]);
  return EmulatedLoad<__m256i>(words);
}
inline __m256i Emulated_cvtsepi32_epi16(__m512i v) {
  int16_t words[16];
  for (int i = 0; i < 16; i++) words[i] = static_cast<int16_t>(Saturated(((Ints16)v)[i], -32768, 32767));
  return EmulatedLoad<__m256i>(words);
}
inline __m128i Emulated_cvtsepi32_epi8(__m512i v) {
  int8_t bytes[16];
  for (int i = 0; i < 16; i++) bytes[i] = static_cast<int8_t>(Saturated(((Ints16)v)[i], -128, 127));
  return EmulatedLoad<__m128i>(bytes);
}

inline __m512 Emulated_permutex2var_ps(__m512 a, __m512i lanes, __m512 b) {
  return EachFloat([&](int i) {
    const int32_t lane = ((Ints16)lanes)[i] & 31;
    return lane < 16 ? ((Floats16)a)[lane] : ((Floats16)b)[lane - 16];
  });
}

inline __m512i Emulated_setr_epi32(int32_t a, int32_t b, int32_t c, int32_t d, int32_t e, int32_t f, int32_t g,
                                   int32_t h, int32_t i, int32_t j, int32_t k, int32_t l, int32_t m, int32_t n,
                                   int32_t o, int32_t p) {
  return (__m512i)Ints16{a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p};
}
inline __m512i Emulated_set1_epi16(int16_t x) {
  return Emulated_set1_epi32(static_cast<int32_t>(static_cast<uint16_t>(x) * 0x00010001u));
}
inline __m512i Emulated_permutexvar_epi32(__m512i lanes, __m512i v) {
  return EachInt([&](int i) { return ((Ints16)v)[((Ints16)lanes)[i] & 15]; });
}

// What AVX2 does with each half, AVX-512 does with both.
template <class F>
__m512i BothHalves(__m512i a, __m512i b, F f) {
  __m256i halves[2];
  for (int i = 0; i < 2; i++) {
    halves[i] = f(EmulatedLoad<__m256i>(reinterpret_cast<const char*>(&a) + 32 * i),
                  EmulatedLoad<__m256i>(reinterpret_cast<const char*>(&b) + 32 * i));
  }
  return EmulatedLoad<__m512i>(halves);
}
inline __m512i Emulated_packs_epi32(__m512i a, __m512i b) {
  return BothHalves(a, b, [](__m256i x, __m256i y) { return _mm256_packs_epi32(x, y); });
}
inline __m512i Emulated_packs_epi16(__m512i a, __m512i b) {
  return BothHalves(a, b, [](__m256i x, __m256i y) { return _mm256_packs_epi16(x, y); });
}
inline __m512i Emulated_max_epi8(__m512i a, __m512i b) {
  return BothHalves(a, b, [](__m256i x, __m256i y) { return _mm256_max_epi8(x, y); });
}
inline __m512i Emulated_maddubs_epi16(__m512i a, __m512i b) {
  return BothHalves(a, b, [](__m256i x, __m256i y) { return _mm256_maddubs_epi16(x, y); });
}
inline __m512i Emulated_madd_epi16(__m512i a, __m512i b) {
  return BothHalves(a, b, [](__m256i x, __m256i y) { return _mm256_madd_epi16(x, y); });
}

inline __m512i Emulated_dpbusd_epi32(__m512i c, __m512i a, __m512i b) {
  uint32_t sums[16];
  EmulatedStore(sums, c);
  EmulatedDotProducts<16>(sums, reinterpret_cast<const uint8_t*>(&a), reinterpret_cast<const int8_t*>(&b));
  return EmulatedLoad<__m512i>(sums);
}
inline __m256i EmulatedDpbusd256(__m256i c, __m256i a, __m256i b) {
  uint32_t sums[8];
  EmulatedStore(sums, c);
  EmulatedDotProducts<8>(sums, reinterpret_cast<const uint8_t*>(&a), reinterpret_cast<const int8_t*>(&b));
  return EmulatedLoad<__m256i>(sums);
}

}  // namespace

#undef _mm512_setr_epi32
#undef _mm512_slli_epi32
#undef _mm512_srli_epi32
#undef _mm512_cmp_ps_mask
#undef _mm512_extractf32x8_ps
#undef _mm512_extracti64x4_epi64
#undef _mm512_cmpge_epu32_mask
#define _mm512_setzero_ps Emulated_setzero_ps
#define _mm512_setzero_si512 Emulated_setzero_si512
#define _mm512_set1_ps Emulated_set1_ps
#define _mm512_set1_epi32 Emulated_set1_epi32
#define _mm512_set1_epi8 Emulated_set1_epi8
#define _mm512_set1_epi16 Emulated_set1_epi16
#define _mm512_setr_epi32 Emulated_setr_epi32
#define _mm512_loadu_ps Emulated_loadu_ps
#define _mm512_loadu_si512 Emulated_loadu_si512
#define _mm512_storeu_ps Emulated_storeu_ps
#define _mm512_storeu_si512 Emulated_storeu_si512
#define _mm512_maskz_loadu_ps Emulated_maskz_loadu_ps
#define _mm512_mask_storeu_ps Emulated_mask_storeu_ps
#define _mm512_maskz_mov_ps Emulated_maskz_mov_ps
#define _mm512_castsi512_ps Emulated_castsi512_ps
#define _mm512_castps_si512 Emulated_castps_si512
#define _mm512_castps512_ps256 Emulated_castps512_ps256
#define _mm512_castsi512_si256 Emulated_castsi512_si256
#define _mm512_extractf32x8_ps(v, half) EmulatedFloatHalf<half>(v)
#define _mm512_extracti64x4_epi64(v, half) EmulatedIntHalf<half>(v)
#define _mm512_add_ps Emulated_add_ps
#define _mm512_sub_ps Emulated_sub_ps
#define _mm512_mul_ps Emulated_mul_ps
#define _mm512_div_ps Emulated_div_ps
#define _mm512_fmadd_ps Emulated_fmadd_ps
#define _mm512_max_ps Emulated_max_ps
#define _mm512_min_ps Emulated_min_ps
#define _mm512_abs_ps Emulated_abs_ps
#define _mm512_cmp_ps_mask(a, b, predicate) EmulatedCompare<predicate>(a, b)
#define _mm512_add_epi32 Emulated_add_epi32
#define _mm512_sub_epi32 Emulated_sub_epi32
#define _mm512_mullo_epi32 Emulated_mullo_epi32
#define _mm512_and_si512 Emulated_and_si512
#define _mm512_xor_si512 Emulated_xor_si512
#define _mm512_slli_epi32 Emulated_slli_epi32
#define _mm512_srli_epi32 Emulated_srli_epi32
#define _mm512_cmpge_epu32_mask Emulated_cmpge_epu32_mask
#define _mm512_cvtepi32_ps Emulated_cvtepi32_ps
#define _mm512_cvtps_epi32 Emulated_cvtps_epi32
#define _mm512_cvtepu16_epi32 Emulated_cvtepu16_epi32
#define _mm512_cvtepi32_epi16 Emulated_cvtepi32_epi16
#define _mm512_cvtsepi32_epi16 Emulated_cvtsepi32_epi16
#define _mm512_cvtsepi32_epi8 Emulated_cvtsepi32_epi8
#define _mm512_packs_epi32 Emulated_packs_epi32
#define _mm512_packs_epi16 Emulated_packs_epi16
#define _mm512_max_epi8 Emulated_max_epi8
#define _mm512_maddubs_epi16 Emulated_maddubs_epi16
#define _mm512_madd_epi16 Emulated_madd_epi16
#define _mm512_dpbusd_epi32 Emulated_dpbusd_epi32
#define _mm512_permutexvar_epi32 Emulated_permutexvar_epi32
#define _mm512_permutex2var_ps Emulated_permutex2var_ps
#define _mm256_dpbusd_avx_epi32 EmulatedDpbusd256

#include "amx_tiles.h"

#endif  // LACOS_EMULATED_IMMINTRIN_H_
