// int8 rows x int8 weights on ARMv8.2 DotProd: sdot multiplies signed by signed bytes and adds four products to each
// 32-bit lane, exactly. One register of a row serves four groups of columns, each by its lane.
#include <arm_neon.h>

#include "kernel_sets.h"
#include "tile_rows.h"

namespace lacos {
namespace {

constexpr int kColumns = 16;
constexpr int kVectors = 4;
constexpr int kGroup = 4;
constexpr int kGroupsAtOnce = 4;
constexpr size_t kGroupBytes = static_cast<size_t>(kColumns) * kGroup;

template <int kRows, int kLane>
void Step(int32x4_t (&c)[kRows][kVectors], const int8x16_t (&x)[kRows], const int8_t* b) {
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; v++) {
    const int8x16_t w = vld1q_s8(b + v * 16);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; i++) c[i][v] = vdotq_laneq_s32(c[i][v], w, x[i], kLane);
  }
}

template <int kRows>
void Tile(const Int8Tile& t) {
  const int8_t* a[kRows];
  int32x4_t c[kRows][kVectors];
#pragma GCC unroll 6
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
  const int whole = t.k_groups / kGroupsAtOnce;
  for (int block = 0; block < whole; block++) {
    int8x16_t x[kRows];
#pragma GCC unroll 6
    for (int i = 0; i < kRows; i++) {
      x[i] = vld1q_s8(a[i]);
      a[i] += kGroup * kGroupsAtOnce;
    }
    __builtin_prefetch(ahead);
    Step<kRows, 0>(c, x, b);
    __builtin_prefetch(ahead + step);
    Step<kRows, 1>(c, x, b + kGroupBytes);
    __builtin_prefetch(ahead + 2 * step);
    Step<kRows, 2>(c, x, b + 2 * kGroupBytes);
    __builtin_prefetch(ahead + 3 * step);
    Step<kRows, 3>(c, x, b + 3 * kGroupBytes);
    b += kGroupBytes * kGroupsAtOnce;
    ahead += step * kGroupsAtOnce;
  }
  for (int group = whole * kGroupsAtOnce; group < t.k_groups; group++) {
    int8x16_t x[kRows];
#pragma GCC unroll 6
    for (int i = 0; i < kRows; i++) {
      x[i] = vreinterpretq_s8_s32(vdupq_n_s32(*reinterpret_cast<const int32_t*>(a[i])));
      a[i] += kGroup;
    }
    Step<kRows, 0>(c, x, b);
    b += kGroupBytes;
  }
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) vst1q_s32(t.c + i * kColumns + v * 4, c[i][v]);
  }
}

void Run(const Int8Tile& t) {
  ByRows<6>(t.rows, [&](auto rows) { Tile<decltype(rows)::value>(t); });
}

}  // namespace

extern const Int8GemmKernel kInt8GemmNeonDot = {
    "qd8_f32_qc8w_gemm_6x16_neondot", 6, kColumns, kGroup, 0, 0, Run, nullptr};

}  // namespace lacos
