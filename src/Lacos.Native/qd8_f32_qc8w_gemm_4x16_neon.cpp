// int8 rows x int8 weights on any 64-bit ARM: two products meet in each 16-bit lane (smull, smlal), whose pairs sadalp
// adds to 32-bit sums. Codes of rows are at least -127, so two products are within 2 * 127 * 128 = 32,512: exact
// whatever the weights are.
#include <arm_neon.h>

#include "kernel_sets.h"
#include "tile_rows.h"

namespace lacos {
namespace {

constexpr int kColumns = 16;
constexpr int kVectors = 4;
constexpr int kGroup = 2;
constexpr size_t kGroupBytes = static_cast<size_t>(kColumns) * kGroup;

inline int8x8_t Pair(const int8_t* a) { return vreinterpret_s8_s16(vld1_dup_s16(reinterpret_cast<const int16_t*>(a))); }

template <int kRows>
void Tile(const Int8Tile& t) {
  const int8_t* a[kRows];
  int32x4_t c[kRows][kVectors];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; i++) {
    a[i] = static_cast<const int8_t*>(t.a) + i * t.a_stride;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) {
      c[i][v] = t.accumulate ? vld1q_s32(t.c + i * kColumns + v * 4) : vdupq_n_s32(0);
    }
  }
  const int8_t* b = reinterpret_cast<const int8_t*>(t.b);
  const uint8_t* ahead = t.ahead;
  const size_t step = static_cast<size_t>(t.ahead_bytes);
  int group = 0;
  for (; group + 2 <= t.k_groups; group += 2) {
    int8x8_t x[kRows], y[kRows];
#pragma GCC unroll 4
    for (int i = 0; i < kRows; i++) {
      x[i] = Pair(a[i]);
      y[i] = Pair(a[i] + kGroup);
      a[i] += 2 * kGroup;
    }
    __builtin_prefetch(ahead);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) {
      const int8x8_t first = vld1_s8(b + v * 8);
      const int8x8_t second = vld1_s8(b + kGroupBytes + v * 8);
#pragma GCC unroll 4
      for (int i = 0; i < kRows; i++) c[i][v] = vpadalq_s16(c[i][v], vmlal_s8(vmull_s8(first, x[i]), second, y[i]));
    }
    b += 2 * kGroupBytes;
    ahead += 2 * step;
  }
  if (group < t.k_groups) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) {
      const int8x8_t w = vld1_s8(b + v * 8);
#pragma GCC unroll 4
      for (int i = 0; i < kRows; i++) c[i][v] = vpadalq_s16(c[i][v], vmull_s8(w, Pair(a[i])));
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < kRows; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) vst1q_s32(t.c + i * kColumns + v * 4, c[i][v]);
  }
}

void Run(const Int8Tile& t) {
  ByRows<4>(t.rows, [&](auto rows) { Tile<decltype(rows)::value>(t); });
}

}  // namespace

extern const Int8GemmKernel kInt8GemmNeon = {"qd8_f32_qc8w_gemm_4x16_neon", 4, kColumns, kGroup, 0, 0, Run, nullptr};

}  // namespace lacos
