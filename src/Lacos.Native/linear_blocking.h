// How a product is cut so that what is reused stays in the second-level cache.
#ifndef LACOS_LINEAR_BLOCKING_H_
#define LACOS_LINEAR_BLOCKING_H_

#include <algorithm>

#include "kernel.h"

namespace lacos {

// Columns of k that are done at once; a panel of 64 columns is then 256 KiB.
constexpr int kDepthBlock = 4096;
static_assert(kDepthBlock % kExcessColumns == 0, "lists of excess codes must not straddle blocks");
// Bytes of quantised rows that stay cached while panels of weights pass by.
constexpr int kRowBlockBytes = 384 * 1024;
// Rows of integer or float sums that a thread keeps at most.
constexpr int kRowBlockMaximum = 384;

// Tiles whose sums become output together, and whose excess is added together, while they are in the first-level cache.
constexpr int TilesOfBand(int tile_rows) { return (32 + tile_rows - 1) / tile_rows; }

// Floats from row to row of a buffer that is written column by column: one cache line more than needed, because with a
// power of two the same columns of all rows would fall into the same cache sets.
inline size_t RowStride(int width) { return static_cast<size_t>(width) + 16; }

// Rows of one block: about what fits, a multiple of the tile, equal blocks, and blocks enough that with few panels
// every thread has work.
inline int RowBlock(int m, int fitting, int tile_rows, int panels, int threads) {
  fitting = std::clamp(fitting, tile_rows, kRowBlockMaximum / tile_rows * tile_rows);
  int blocks = (m + fitting - 1) / fitting;
  while (blocks * panels < threads * 2 && m / (blocks + 1) >= 4 * tile_rows) blocks++;
  const int rows = (m + blocks - 1) / blocks;
  return std::min(kRowBlockMaximum / tile_rows * tile_rows, (rows + tile_rows - 1) / tile_rows * tile_rows);
}

// The rows that fit, or fewer: with so many rows a thread, and so few panels, the threads share a product by rows and
// not by panels. A panel is then a smaller part of a thread's work, and a thread reads rows that it has itself
// quantised. Each reads all weights, which hides behind the products of that many rows; not for weights that are
// unpacked first.
inline int RowsOfNarrowLayer(int m, int fitting, int panels, int threads) {
  constexpr int kRowsOfThread = 64;
  constexpr int kFewPanelsOfThread = 16;
  if (m < threads * kRowsOfThread || panels >= threads * kFewPanelsOfThread) return fitting;
  return std::min(fitting, (m + threads - 1) / threads);
}

}  // namespace lacos

#endif  // LACOS_LINEAR_BLOCKING_H_
