// The NEON, DotProd and I8MM intrinsics that the kernels for 64-bit ARM use, in plain C++, for machines that are none:
// the kernels' files stay as they are, and every test can run on them. An intrinsic that is missing here does not
// compile. Semantics: Arm C Language Extensions and the Arm Architecture Reference Manual.
#ifndef LACOS_EMULATED_ARM_NEON_H_
#define LACOS_EMULATED_ARM_NEON_H_

#include <cmath>
#include <cstdint>
#include <cstring>

namespace {

template <class T, int kCount>
struct EmulatedLanes {
  using Lane = T;
  static constexpr int kLaneCount = kCount;
  T lane[kCount];
};

}  // namespace

using float32x2_t = EmulatedLanes<float, 2>;
using float32x4_t = EmulatedLanes<float, 4>;
using int8x8_t = EmulatedLanes<int8_t, 8>;
using int8x16_t = EmulatedLanes<int8_t, 16>;
using int16x4_t = EmulatedLanes<int16_t, 4>;
using int16x8_t = EmulatedLanes<int16_t, 8>;
using uint16x4_t = EmulatedLanes<uint16_t, 4>;
using int32x4_t = EmulatedLanes<int32_t, 4>;
using uint32x4_t = EmulatedLanes<uint32_t, 4>;
using int64x2_t = EmulatedLanes<int64_t, 2>;

namespace {

template <class V, class F>
V EachLane(F f) {
  V r;
  for (int i = 0; i < V::kLaneCount; i++) r.lane[i] = static_cast<typename V::Lane>(f(i));
  return r;
}
template <class V, class T>
V EmulatedLoad(const T* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class V, class T>
void EmulatedStore(T* p, const V& v) {
  std::memcpy(p, &v, sizeof v);
}
template <class To, class From>
To SameBits(const From& v) {
  static_assert(sizeof(To) == sizeof(From));
  To r;
  std::memcpy(&r, &v, sizeof r);
  return r;
}
template <class To>
To Saturated(int32_t value) {
  constexpr int32_t most = (1 << (8 * sizeof(To) - 1)) - 1;
  return static_cast<To>(value > most ? most : value < -most - 1 ? -most - 1 : value);
}

inline float32x4_t vld1q_f32(const float* p) { return EmulatedLoad<float32x4_t>(p); }
inline int32x4_t vld1q_s32(const int32_t* p) { return EmulatedLoad<int32x4_t>(p); }
inline uint32x4_t vld1q_u32(const uint32_t* p) { return EmulatedLoad<uint32x4_t>(p); }
inline int8x16_t vld1q_s8(const int8_t* p) { return EmulatedLoad<int8x16_t>(p); }
inline int8x8_t vld1_s8(const int8_t* p) { return EmulatedLoad<int8x8_t>(p); }
inline uint16x4_t vld1_u16(const uint16_t* p) { return EmulatedLoad<uint16x4_t>(p); }
inline void vst1q_f32(float* p, float32x4_t v) { EmulatedStore(p, v); }
inline void vst1q_s32(int32_t* p, int32x4_t v) { EmulatedStore(p, v); }
inline void vst1q_s8(int8_t* p, int8x16_t v) { EmulatedStore(p, v); }
inline void vst1_s8(int8_t* p, int8x8_t v) { EmulatedStore(p, v); }
inline void vst1_u16(uint16_t* p, uint16x4_t v) { EmulatedStore(p, v); }

inline float32x4_t vdupq_n_f32(float x) {
  return EachLane<float32x4_t>([=](int) { return x; });
}
inline int32x4_t vdupq_n_s32(int32_t x) {
  return EachLane<int32x4_t>([=](int) { return x; });
}
inline uint32x4_t vdupq_n_u32(uint32_t x) {
  return EachLane<uint32x4_t>([=](int) { return x; });
}
inline int16x4_t vld1_dup_s16(const int16_t* p) {
  return EachLane<int16x4_t>([=](int) { return *p; });
}

inline float32x4_t vreinterpretq_f32_u32(uint32x4_t v) { return SameBits<float32x4_t>(v); }
inline uint32x4_t vreinterpretq_u32_f32(float32x4_t v) { return SameBits<uint32x4_t>(v); }
inline int8x16_t vreinterpretq_s8_s32(int32x4_t v) { return SameBits<int8x16_t>(v); }
inline int8x8_t vreinterpret_s8_s16(int16x4_t v) { return SameBits<int8x8_t>(v); }
inline int32x4_t vreinterpretq_s32_s64(int64x2_t v) { return SameBits<int32x4_t>(v); }
inline int64x2_t vreinterpretq_s64_s32(int32x4_t v) { return SameBits<int64x2_t>(v); }

inline float32x4_t vaddq_f32(float32x4_t a, float32x4_t b) {
  return EachLane<float32x4_t>([&](int i) { return a.lane[i] + b.lane[i]; });
}
inline float32x2_t vadd_f32(float32x2_t a, float32x2_t b) {
  return EachLane<float32x2_t>([&](int i) { return a.lane[i] + b.lane[i]; });
}
inline float32x4_t vsubq_f32(float32x4_t a, float32x4_t b) {
  return EachLane<float32x4_t>([&](int i) { return a.lane[i] - b.lane[i]; });
}
inline float32x4_t vmulq_f32(float32x4_t a, float32x4_t b) {
  return EachLane<float32x4_t>([&](int i) { return a.lane[i] * b.lane[i]; });
}
inline float32x4_t vdivq_f32(float32x4_t a, float32x4_t b) {
  return EachLane<float32x4_t>([&](int i) { return a.lane[i] / b.lane[i]; });
}
// sum + a * b, rounded once.
inline float32x4_t vfmaq_f32(float32x4_t sum, float32x4_t a, float32x4_t b) {
  return EachLane<float32x4_t>([&](int i) { return std::fma(a.lane[i], b.lane[i], sum.lane[i]); });
}
inline float32x4_t vabsq_f32(float32x4_t a) {
  return EachLane<float32x4_t>([&](int i) { return std::fabs(a.lane[i]); });
}
inline uint32x4_t vcgtq_f32(float32x4_t a, float32x4_t b) {
  return EachLane<uint32x4_t>([&](int i) { return a.lane[i] > b.lane[i] ? ~0u : 0u; });
}
inline uint32x4_t vcgeq_u32(uint32x4_t a, uint32x4_t b) {
  return EachLane<uint32x4_t>([&](int i) { return a.lane[i] >= b.lane[i] ? ~0u : 0u; });
}
inline float32x4_t vbslq_f32(uint32x4_t mask, float32x4_t a, float32x4_t b) {
  const uint32x4_t x = vreinterpretq_u32_f32(a);
  const uint32x4_t y = vreinterpretq_u32_f32(b);
  return vreinterpretq_f32_u32(
      EachLane<uint32x4_t>([&](int i) { return (mask.lane[i] & x.lane[i]) | (~mask.lane[i] & y.lane[i]); }));
}
inline float32x2_t vget_low_f32(float32x4_t v) { return {{v.lane[0], v.lane[1]}}; }
inline float32x2_t vget_high_f32(float32x4_t v) { return {{v.lane[2], v.lane[3]}}; }
inline float vget_lane_f32(float32x2_t v, int lane) { return v.lane[lane]; }

// Rounded to nearest, halves to even; NaN becomes 0, what is too large the nearest integer.
inline int32x4_t vcvtnq_s32_f32(float32x4_t v) {
  return EachLane<int32x4_t>([&](int i) {
    const float x = std::nearbyintf(v.lane[i]);
    if (std::isnan(x)) return 0;
    if (x >= 2147483648.0f) return INT32_MAX;
    return x < -2147483648.0f ? INT32_MIN : static_cast<int32_t>(x);
  });
}
inline float32x4_t vcvtq_f32_s32(int32x4_t v) {
  return EachLane<float32x4_t>([&](int i) { return static_cast<float>(v.lane[i]); });
}

inline uint32x4_t vaddq_u32(uint32x4_t a, uint32x4_t b) {
  return EachLane<uint32x4_t>([&](int i) { return a.lane[i] + b.lane[i]; });
}
inline uint32x4_t vmulq_u32(uint32x4_t a, uint32x4_t b) {
  return EachLane<uint32x4_t>([&](int i) { return a.lane[i] * b.lane[i]; });
}
inline uint32x4_t vandq_u32(uint32x4_t a, uint32x4_t b) {
  return EachLane<uint32x4_t>([&](int i) { return a.lane[i] & b.lane[i]; });
}
inline uint32x4_t veorq_u32(uint32x4_t a, uint32x4_t b) {
  return EachLane<uint32x4_t>([&](int i) { return a.lane[i] ^ b.lane[i]; });
}
inline uint32x4_t vshlq_n_u32(uint32x4_t a, int n) {
  return EachLane<uint32x4_t>([&](int i) { return a.lane[i] << n; });
}
inline uint32x4_t vshrq_n_u32(uint32x4_t a, int n) {
  return EachLane<uint32x4_t>([&](int i) { return a.lane[i] >> n; });
}
inline uint16x4_t vshrn_n_u32(uint32x4_t a, int n) {
  return EachLane<uint16x4_t>([&](int i) { return a.lane[i] >> n; });
}
inline uint32x4_t vshll_n_u16(uint16x4_t a, int n) {
  return EachLane<uint32x4_t>([&](int i) { return static_cast<uint32_t>(a.lane[i]) << n; });
}
// Modulo 2^32.
inline int32_t WrappedSum(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}
inline int32x4_t vaddq_s32(int32x4_t a, int32x4_t b) {
  return EachLane<int32x4_t>([&](int i) { return WrappedSum(a.lane[i], b.lane[i]); });
}
inline int32x4_t vsubq_s32(int32x4_t a, int32x4_t b) {
  return EachLane<int32x4_t>(
      [&](int i) { return static_cast<int32_t>(static_cast<uint32_t>(a.lane[i]) - static_cast<uint32_t>(b.lane[i])); });
}
inline int32_t vaddvq_s32(int32x4_t v) {
  return WrappedSum(WrappedSum(v.lane[0], v.lane[1]), WrappedSum(v.lane[2], v.lane[3]));
}
inline int16x4_t vqmovn_s32(int32x4_t v) {
  return EachLane<int16x4_t>([&](int i) { return Saturated<int16_t>(v.lane[i]); });
}
inline int8x8_t vqmovn_s16(int16x8_t v) {
  return EachLane<int8x8_t>([&](int i) { return Saturated<int8_t>(v.lane[i]); });
}
inline int16x8_t vcombine_s16(int16x4_t low, int16x4_t high) {
  return EachLane<int16x8_t>([&](int i) { return i < 4 ? low.lane[i] : high.lane[i - 4]; });
}
inline int8x16_t vcombine_s8(int8x8_t low, int8x8_t high) {
  return EachLane<int8x16_t>([&](int i) { return i < 8 ? low.lane[i] : high.lane[i - 8]; });
}
inline int8x16_t vdupq_n_s8(int8_t x) {
  return EachLane<int8x16_t>([&](int) { return x; });
}
inline int8x16_t vmaxq_s8(int8x16_t a, int8x16_t b) {
  return EachLane<int8x16_t>([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
}
inline int64x2_t vzip1q_s64(int64x2_t a, int64x2_t b) { return {{a.lane[0], b.lane[0]}}; }
inline int64x2_t vzip2q_s64(int64x2_t a, int64x2_t b) { return {{a.lane[1], b.lane[1]}}; }

inline int16x8_t vmull_s8(int8x8_t a, int8x8_t b) {
  return EachLane<int16x8_t>([&](int i) { return a.lane[i] * b.lane[i]; });
}
// Sums modulo 2^16.
inline int16x8_t vmlal_s8(int16x8_t sum, int8x8_t a, int8x8_t b) {
  return EachLane<int16x8_t>([&](int i) { return sum.lane[i] + a.lane[i] * b.lane[i]; });
}
inline int16x8_t vpaddlq_s8(int8x16_t v) {
  return EachLane<int16x8_t>([&](int i) { return v.lane[2 * i] + v.lane[2 * i + 1]; });
}
inline int32x4_t vpadalq_s16(int32x4_t sum, int16x8_t v) {
  return EachLane<int32x4_t>([&](int i) { return WrappedSum(sum.lane[i], v.lane[2 * i] + v.lane[2 * i + 1]); });
}
// Each lane gets four products with the four bytes of b's lane.
inline int32x4_t vdotq_laneq_s32(int32x4_t sum, int8x16_t a, int8x16_t b, int lane) {
  return EachLane<int32x4_t>([&](int i) {
    int32_t products = 0;
    for (int j = 0; j < 4; j++) products += a.lane[4 * i + j] * b.lane[4 * lane + j];
    return WrappedSum(sum.lane[i], products);
  });
}
// Two rows of eight by two rows of eight, transposed.
inline int32x4_t vmmlaq_s32(int32x4_t sum, int8x16_t a, int8x16_t b) {
  return EachLane<int32x4_t>([&](int i) {
    int32_t products = 0;
    for (int j = 0; j < 8; j++) products += a.lane[i / 2 * 8 + j] * b.lane[i % 2 * 8 + j];
    return WrappedSum(sum.lane[i], products);
  });
}

}  // namespace

#endif  // LACOS_EMULATED_ARM_NEON_H_
