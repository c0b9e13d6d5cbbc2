// How many rows of a product are worked on together.
#include "linear_blocking.h"

#include <gtest/gtest.h>

#include "numbers.h"

namespace lacos {
namespace {

TEST(LinearBlocking, NarrowLayersAreSharedByRowsWhereEveryThreadHasEnough) {
  const auto block = [](int m, int panels, int threads) {
    return RowBlock(m, RowsOfNarrowLayer(m, 384, panels, threads), 6, panels, threads);
  };
  EXPECT_EQ(block(128, 16, 2), 66);
  EXPECT_EQ(block(640, 16, 8), 84);
  EXPECT_EQ(block(1000, 16, 2), 336) << "no more than fits";
  EXPECT_EQ(block(128, 16, 4), 132) << "too few rows a thread";
  EXPECT_EQ(block(128, 32, 2), 132) << "panels enough";
}

TEST(LinearBlocking, BlocksAreWholeTilesAndNotLargerThanFits) {
  Numbers numbers(6);
  for (int round = 0; round < 2000; round++) {
    const int m = numbers.Whole(1, 5000);
    const int fitting = numbers.Whole(1, 2000);
    const int tile = numbers.Whole(1, 32);
    const int rows = RowBlock(m, fitting, tile, numbers.Whole(1, 300), numbers.Whole(1, 128));
    ASSERT_EQ(rows % tile, 0) << m << " rows";
    ASSERT_GE(rows, tile);
    ASSERT_LE(rows, kRowBlockMaximum);
    ASSERT_LT(rows, std::max(fitting, tile) + tile);
  }
}

}  // namespace
}  // namespace lacos
