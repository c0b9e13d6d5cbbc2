// Eight floats in plain C++: the reference, and what runs where no vectors are built.
#ifndef LACOS_SIMD_SCALAR_H_
#define LACOS_SIMD_SCALAR_H_

#include <cstdint>
#include <cstring>

namespace {

constexpr int kLanes = 8;
struct Vec {
  float lane[kLanes];
};

template <class Operation>
inline Vec Each(Operation operation) {
  Vec r;
  for (int i = 0; i < kLanes; i++) r.lane[i] = operation(i);
  return r;
}
inline Vec Load(const float* p) {
  return Each([=](int i) { return p[i]; });
}
inline Vec LoadFirst(const float* p, int n) {
  return Each([=](int i) { return i < n ? p[i] : 0.0f; });
}
inline void Store(float* p, const Vec& v) {
  for (int i = 0; i < kLanes; i++) p[i] = v.lane[i];
}
inline void StoreFirst(float* p, const Vec& v, int n) {
  for (int i = 0; i < n; i++) p[i] = v.lane[i];
}
inline Vec ZeroAfter(const Vec& v, int n) {
  return Each([&](int i) { return i < n ? v.lane[i] : 0.0f; });
}
inline Vec Set(float x) {
  return Each([=](int) { return x; });
}
inline Vec Add(const Vec& a, const Vec& b) {
  return Each([&](int i) { return a.lane[i] + b.lane[i]; });
}
inline Vec Sub(const Vec& a, const Vec& b) {
  return Each([&](int i) { return a.lane[i] - b.lane[i]; });
}
inline Vec Mul(const Vec& a, const Vec& b) {
  return Each([&](int i) { return a.lane[i] * b.lane[i]; });
}
inline Vec Div(const Vec& a, const Vec& b) {
  return Each([&](int i) { return a.lane[i] / b.lane[i]; });
}
inline Vec MulAdd(const Vec& a, const Vec& b, const Vec& c) {
  return Each([&](int i) { return a.lane[i] * b.lane[i] + c.lane[i]; });
}
// As maxps and minps: the second operand when either is NaN.
inline Vec Max(const Vec& a, const Vec& b) {
  return Each([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
}
inline Vec Min(const Vec& a, const Vec& b) {
  return Each([&](int i) { return a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]; });
}
inline Vec Abs(const Vec& a) {
  return Each([&](int i) { return a.lane[i] < 0.0f ? -a.lane[i] : a.lane[i]; });
}
inline float SumLanes(Vec v) {
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; i++) v.lane[i] += v.lane[i + width];
  }
  return v.lane[0];
}
inline float MaxLanes(const Vec& v) {
  float most = v.lane[0];
  for (int i = 1; i < kLanes; i++) most = v.lane[i] > most ? v.lane[i] : most;
  return most;
}
inline Vec ZeroUnlessBelow(const Vec& a, const Vec& limit) {
  return Each([&](int i) { return a.lane[i] < limit.lane[i] ? a.lane[i] : 0.0f; });
}
inline Vec FromInt(const int32_t* p, int32_t offset) {
  return Each([=](int i) { return static_cast<float>(p[i] - offset); });
}
// v * 2^n for the n in the low bits of a float that is 1.5 * 2^23 + n.
inline Vec ScaleByPower(const Vec& v, const Vec& shifted) {
  return Each([&](int i) {
    uint32_t bits, power;
    std::memcpy(&bits, &v.lane[i], sizeof bits);
    std::memcpy(&power, &shifted.lane[i], sizeof power);
    bits += power << 23;
    float scaled;
    std::memcpy(&scaled, &bits, sizeof scaled);
    return scaled;
  });
}
// bfloat16, rounded to nearest even; not for NaN with a payload.
inline void StoreHalf(uint16_t* p, const Vec& v) {
  for (int i = 0; i < kLanes; i++) {
    uint32_t bits;
    std::memcpy(&bits, &v.lane[i], sizeof bits);
    p[i] = static_cast<uint16_t>((bits + (((bits >> 16) & 1) + 0x7fff)) >> 16);
  }
}
inline Vec LoadHalf(const uint16_t* p) {
  return Each([=](int i) {
    const uint32_t bits = static_cast<uint32_t>(p[i]) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  });
}
// x where the mixed features and token reach the threshold, else 0; the mix is lowbias32 (see DropoutRow).
inline Vec ZeroUnlessKept(const Vec& x, const uint32_t* features, uint32_t token, uint32_t threshold) {
  return Each([&](int i) {
    uint32_t mixed = features[i] ^ token;
    mixed = (mixed ^ (mixed >> 16)) * 0x7feb352du;
    mixed = (mixed ^ (mixed >> 15)) * 0x846ca68bu;
    mixed ^= mixed >> 16;
    return mixed >= threshold ? x.lane[i] : 0.0f;
  });
}

struct Ints {
  int32_t lane[kLanes];
};
// Rounded to even: adding and taking off 1.5 * 2^23 does it below 2^22, and everything rounded here is clamped before.
inline Ints ToInts(const Vec& v) {
  Ints r;
  for (int i = 0; i < kLanes; i++) {
    const float inside = v.lane[i] > -127.0f ? (v.lane[i] < 127.0f ? v.lane[i] : 127.0f) : -127.0f;
    const volatile float shifted = inside + 12582912.0f;
    r.lane[i] = static_cast<int32_t>(shifted - 12582912.0f);
  }
  return r;
}
inline Ints ZeroInts() { return {}; }
inline Ints AddInts(const Ints& a, const Ints& b) {
  Ints r;
  for (int i = 0; i < kLanes; i++) r.lane[i] = a.lane[i] + b.lane[i];
  return r;
}
inline int32_t SumInts(const Ints& v) {
  int32_t sum = 0;
  for (int i = 0; i < kLanes; i++) sum += v.lane[i];
  return sum;
}
inline void StoreInt8(int8_t* p, const Ints& v) {
  for (int i = 0; i < kLanes; i++) p[i] = static_cast<int8_t>(v.lane[i]);
}
// Vectors of integers that make one of codes.
constexpr int kByteVectors = 1;
// Stores them and adds them to sums.
inline Ints StoreCodes(int8_t* p, const Ints* v, const Ints& sums) {
  StoreInt8(p, v[0]);
  return AddInts(sums, v[0]);
}

// No squares in registers: rows become columns float by float.
constexpr int kSquare = 1;
inline void TransposeSquare(Vec*) {}

}  // namespace

#endif  // LACOS_SIMD_SCALAR_H_
