// Eight floats in two NEON registers: lanes, and the order in which they are summed, are those of AVX2, so that row
// operations give the same bits on both. Included only by files compiled for it; everything has internal linkage.
#ifndef LACOS_SIMD_NEON_H_
#define LACOS_SIMD_NEON_H_

#include <arm_neon.h>

#include <cstdint>

namespace {

constexpr int kLanes = 8;
struct Vec {
  float32x4_t low;
  float32x4_t high;
};

inline Vec Load(const float* p) { return {vld1q_f32(p), vld1q_f32(p + 4)}; }
inline void Store(float* p, Vec v) {
  vst1q_f32(p, v.low);
  vst1q_f32(p + 4, v.high);
}
inline Vec LoadFirst(const float* p, int n) {
  float first[kLanes] = {};
  for (int i = 0; i < n; i++) first[i] = p[i];
  return Load(first);
}
inline void StoreFirst(float* p, Vec v, int n) {
  float first[kLanes];
  Store(first, v);
  for (int i = 0; i < n; i++) p[i] = first[i];
}
inline Vec ZeroAfter(Vec v, int n) {
  float first[kLanes];
  Store(first, v);
  return LoadFirst(first, n);
}
inline Vec Set(float x) { return {vdupq_n_f32(x), vdupq_n_f32(x)}; }
inline Vec Add(Vec a, Vec b) { return {vaddq_f32(a.low, b.low), vaddq_f32(a.high, b.high)}; }
inline Vec Sub(Vec a, Vec b) { return {vsubq_f32(a.low, b.low), vsubq_f32(a.high, b.high)}; }
inline Vec Mul(Vec a, Vec b) { return {vmulq_f32(a.low, b.low), vmulq_f32(a.high, b.high)}; }
inline Vec Div(Vec a, Vec b) { return {vdivq_f32(a.low, b.low), vdivq_f32(a.high, b.high)}; }
inline Vec MulAdd(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.low, a.low, b.low), vfmaq_f32(c.high, a.high, b.high)}; }
// As maxps and minps: the second operand when either is NaN.
inline float32x4_t Larger(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
inline float32x4_t Smaller(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(b, a), a, b); }
inline Vec Max(Vec a, Vec b) { return {Larger(a.low, b.low), Larger(a.high, b.high)}; }
inline Vec Min(Vec a, Vec b) { return {Smaller(a.low, b.low), Smaller(a.high, b.high)}; }
inline Vec Abs(Vec a) { return {vabsq_f32(a.low), vabsq_f32(a.high)}; }

// By halves: lane i and lane i + 4, then + 2, then + 1.
inline float SumLanes(Vec v) {
  const float32x4_t four = vaddq_f32(v.low, v.high);
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
inline float MaxLanes(Vec v) {
  float lane[kLanes];
  Store(lane, v);
  float most = lane[0];
  for (int i = 1; i < kLanes; i++) most = lane[i] > most ? lane[i] : most;
  return most;
}

inline float32x4_t ZeroWhereNot(uint32x4_t mask, float32x4_t v) {
  return vreinterpretq_f32_u32(vandq_u32(mask, vreinterpretq_u32_f32(v)));
}
inline Vec ZeroUnlessBelow(Vec a, Vec limit) {
  return {ZeroWhereNot(vcgtq_f32(limit.low, a.low), a.low), ZeroWhereNot(vcgtq_f32(limit.high, a.high), a.high)};
}
inline Vec FromInt(const int32_t* p, int32_t offset) {
  const int32x4_t by = vdupq_n_s32(offset);
  return {vcvtq_f32_s32(vsubq_s32(vld1q_s32(p), by)), vcvtq_f32_s32(vsubq_s32(vld1q_s32(p + 4), by))};
}

// v * 2^n for the n in the low bits of a float that is 1.5 * 2^23 + n.
inline float32x4_t ScaleByPower(float32x4_t v, float32x4_t shifted) {
  const uint32x4_t power = vshlq_n_u32(vreinterpretq_u32_f32(shifted), 23);
  return vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(v), power));
}
inline Vec ScaleByPower(Vec v, Vec shifted) {
  return {ScaleByPower(v.low, shifted.low), ScaleByPower(v.high, shifted.high)};
}

// bfloat16, rounded to nearest even; not for NaN with a payload.
inline uint16x4_t Half(float32x4_t v) {
  const uint32x4_t bits = vreinterpretq_u32_f32(v);
  const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
  return vshrn_n_u32(vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff))), 16);
}
inline void StoreHalf(uint16_t* p, Vec v) {
  vst1_u16(p, Half(v.low));
  vst1_u16(p + 4, Half(v.high));
}
inline Vec LoadHalf(const uint16_t* p) {
  return {vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16)), vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p + 4), 16))};
}

// All ones where the mixed features and token reach the threshold; the mix is lowbias32 (see DropoutRow).
inline uint32x4_t IsKept(const uint32_t* features, uint32_t token, uint32_t threshold) {
  uint32x4_t mixed = veorq_u32(vld1q_u32(features), vdupq_n_u32(token));
  mixed = veorq_u32(mixed, vshrq_n_u32(mixed, 16));
  mixed = vmulq_u32(mixed, vdupq_n_u32(0x7feb352du));
  mixed = veorq_u32(mixed, vshrq_n_u32(mixed, 15));
  mixed = vmulq_u32(mixed, vdupq_n_u32(0x846ca68bu));
  mixed = veorq_u32(mixed, vshrq_n_u32(mixed, 16));
  return vcgeq_u32(mixed, vdupq_n_u32(threshold));
}
inline Vec ZeroUnlessKept(Vec x, const uint32_t* features, uint32_t token, uint32_t threshold) {
  return {ZeroWhereNot(IsKept(features, token, threshold), x.low),
          ZeroWhereNot(IsKept(features + 4, token, threshold), x.high)};
}

struct Ints {
  int32x4_t low;
  int32x4_t high;
};
// Rounded to even.
inline Ints ToInts(Vec v) { return {vcvtnq_s32_f32(v.low), vcvtnq_s32_f32(v.high)}; }
inline Ints ZeroInts() { return {vdupq_n_s32(0), vdupq_n_s32(0)}; }
inline Ints AddInts(Ints a, Ints b) { return {vaddq_s32(a.low, b.low), vaddq_s32(a.high, b.high)}; }
inline int32_t SumInts(Ints v) { return vaddvq_s32(vaddq_s32(v.low, v.high)); }
inline int8x8_t Bytes(Ints v) { return vqmovn_s16(vcombine_s16(vqmovn_s32(v.low), vqmovn_s32(v.high))); }
inline void StoreInt8(int8_t* p, Ints v) { vst1_s8(p, Bytes(v)); }
// Vectors of integers that make one of codes.
constexpr int kByteVectors = 2;
// Stores them, none below -127, and adds them to sums.
inline Ints StoreCodes(int8_t* p, const Ints* v, Ints sums) {
  const int8x16_t codes = vmaxq_s8(vcombine_s8(Bytes(v[0]), Bytes(v[1])), vdupq_n_s8(-127));
  vst1q_s8(p, codes);
  return {vpadalq_s16(sums.low, vpaddlq_s8(codes)), sums.high};
}

// No squares in registers: rows become columns float by float.
constexpr int kSquare = 1;
inline void TransposeSquare(Vec*) {}

}  // namespace

#endif  // LACOS_SIMD_NEON_H_
