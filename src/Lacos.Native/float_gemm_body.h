// The fp32 tile over a Vec that the including file has defined: attention scores, weighted values, and the weight-only
// and fp32 linear layers.
#include "kernel_sets.h"
#include "tile_rows.h"

namespace {

using lacos::FloatTile;

// The sums of a tile fill most registers: kRowsMost rows of kVectorsMost vectors.
constexpr int kRowsMost = 6;

template <int kRows, int kVectors>
void Tile(const FloatTile& t) {
  const float* a[kRows];
  Vec c[kRows][kVectors];
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) {
    a[i] = t.a + i * t.a_stride;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) {
      c[i][v] = t.accumulate ? Load(t.c + i * t.c_stride + v * kLanes) : Set(0.0f);
    }
  }
  const float* b = t.b;
  for (int k = 0; k < t.k; k++) {
    Vec w[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) w[v] = Load(b + v * kLanes);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; i++) {
      const Vec x = Set(a[i][k]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; v++) c[i][v] = MulAdd(x, w[v], c[i][v]);
    }
    b += t.b_stride;
  }
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) Store(t.c + i * t.c_stride + v * kLanes, c[i][v]);
  }
}

template <int kVectorsMost>
void RunTile(const FloatTile& t) {
  ByRows<kRowsMost>(t.rows, [&](auto rows) {
    ByRows<kVectorsMost>(t.vectors, [&](auto vectors) { Tile<decltype(rows)::value, decltype(vectors)::value>(t); });
  });
}

}  // namespace
