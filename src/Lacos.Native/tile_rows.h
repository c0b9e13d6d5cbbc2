// A tile function for each number of rows, chosen by a number. Included by files of one instruction set each;
// everything has internal linkage.
#ifndef LACOS_TILE_ROWS_H_
#define LACOS_TILE_ROWS_H_

#include <type_traits>

namespace {

// tile(std::integral_constant<int, rows>) for 1..kMost rows.
template <int kMost, class Tile>
inline void ByRows(int rows, const Tile& tile) {
  if constexpr (kMost > 1) {
    if (rows < kMost) return ByRows<kMost - 1>(rows, tile);
  }
  tile(std::integral_constant<int, kMost>());
}

}  // namespace

#endif  // LACOS_TILE_ROWS_H_
