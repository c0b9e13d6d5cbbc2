// int8 rows x int8 weights on ARMv8.6 I8MM: smmla multiplies two rows of eight signed bytes by two columns of eight and
// adds the products to 2 x 2 sums, exactly. Rows go in pairs; an odd last one is its own partner.
#include <arm_neon.h>

#include "kernel_sets.h"
#include "tile_rows.h"

namespace lacos {
namespace {

constexpr int kColumns = 16;
constexpr int kVectors = kColumns / 2;
constexpr int kGroup = 8;
constexpr size_t kGroupBytes = static_cast<size_t>(kColumns) * kGroup;

// The sums of one row out of two blocks of 2 x 2, and back.
inline int32x4_t FirstRow(int32x4_t left, int32x4_t right) {
  return vreinterpretq_s32_s64(vzip1q_s64(vreinterpretq_s64_s32(left), vreinterpretq_s64_s32(right)));
}
inline int32x4_t SecondRow(int32x4_t left, int32x4_t right) {
  return vreinterpretq_s32_s64(vzip2q_s64(vreinterpretq_s64_s32(left), vreinterpretq_s64_s32(right)));
}

template <int kRows>
void Tile(const Int8Tile& t) {
  constexpr int kPairs = (kRows + 1) / 2;
  const int8_t* first[kPairs];
  const int8_t* second[kPairs];
  int32_t* sums[kPairs];
  int32_t* more_sums[kPairs];
  int32x4_t c[kPairs][kVectors];
#pragma GCC unroll 3
  for (int p = 0; p < kPairs; p++) {
    const int partner = 2 * p + 1 < kRows ? 2 * p + 1 : 2 * p;
    first[p] = static_cast<const int8_t*>(t.a) + 2 * p * t.a_stride;
    second[p] = static_cast<const int8_t*>(t.a) + partner * t.a_stride;
    sums[p] = t.c + 2 * p * kColumns;
    more_sums[p] = t.c + partner * kColumns;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v += 2) {
      const int32x4_t upper = t.accumulate ? vld1q_s32(sums[p] + v * 2) : vdupq_n_s32(0);
      const int32x4_t lower = t.accumulate ? vld1q_s32(more_sums[p] + v * 2) : vdupq_n_s32(0);
      c[p][v] = FirstRow(upper, lower);
      c[p][v + 1] = SecondRow(upper, lower);
    }
  }
  const int8_t* b = reinterpret_cast<const int8_t*>(t.b);
  const uint8_t* ahead = t.ahead;
  const size_t step = static_cast<size_t>(t.ahead_bytes);
  for (int group = 0; group < t.k_groups; group++) {
    int8x16_t x[kPairs];
#pragma GCC unroll 3
    for (int p = 0; p < kPairs; p++) {
      x[p] = vcombine_s8(vld1_s8(first[p]), vld1_s8(second[p]));
      first[p] += kGroup;
      second[p] += kGroup;
    }
    __builtin_prefetch(ahead);
    __builtin_prefetch(ahead + step / 2);
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; v++) {
      const int8x16_t w = vld1q_s8(b + v * 16);
#pragma GCC unroll 3
      for (int p = 0; p < kPairs; p++) c[p][v] = vmmlaq_s32(c[p][v], x[p], w);
    }
    b += kGroupBytes;
    ahead += step;
  }
#pragma GCC unroll 3
  for (int p = 0; p < kPairs; p++) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v += 2) {
      vst1q_s32(sums[p] + v * 2, FirstRow(c[p][v], c[p][v + 1]));
      if (2 * p + 1 < kRows) vst1q_s32(more_sums[p] + v * 2, SecondRow(c[p][v], c[p][v + 1]));
    }
  }
}

void Run(const Int8Tile& t) {
  ByRows<6>(t.rows, [&](auto rows) { Tile<decltype(rows)::value>(t); });
}

}  // namespace

extern const Int8GemmKernel kInt8GemmNeonI8mm = {
    "qd8_f32_qc8w_gemm_6x16_neoni8mm", 6, kColumns, kGroup, 0, 0, Run, nullptr};

}  // namespace lacos
