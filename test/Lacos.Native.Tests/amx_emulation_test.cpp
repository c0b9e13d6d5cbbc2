#include <gtest/gtest.h>

#include "kernel_sets.h"
#include "numbers.h"

namespace lacos {

extern const Int8GemmKernel kInt8GemmAmxEmulated;

namespace {

#if defined(LACOS_EMULATES_AMX)
// [rows, columns] += or = a b, with the tile's layouts; what lies behind rows and panels must not matter.
void ExpectExactTile(int rows, int groups, bool accumulate) {
  const Int8GemmKernel& kernel = kInt8GemmAmxEmulated;
  const int k = groups * kernel.k_group;
  const size_t stride = static_cast<size_t>(k) + 64;
  Numbers numbers(static_cast<uint32_t>(rows * 1009 + groups));
  const std::vector<int8_t> a = numbers.Codes(stride * rows);
  std::vector<int8_t> b = numbers.Codes(static_cast<size_t>(k) * kernel.columns);
  for (size_t i = 0; i < b.size(); i += 7) b[i] = -128;
  std::vector<int32_t> c(static_cast<size_t>(rows) * kernel.columns, 11);
  kernel.tile({rows, groups, accumulate, a.data(), stride, reinterpret_cast<const uint8_t*>(b.data()), c.data(),
               reinterpret_cast<const uint8_t*>(b.data()), 0});
  for (int row = 0; row < rows; row++) {
    for (int n = 0; n < kernel.columns; n++) {
      int32_t expected = accumulate ? 11 : 0;
      for (int i = 0; i < k; i++) {
        const size_t at = (static_cast<size_t>(i / kernel.k_group) * kernel.columns + n) * kernel.k_group;
        expected += a[stride * row + i] * b[at + i % kernel.k_group];
      }
      ASSERT_EQ(expected, c[static_cast<size_t>(row) * kernel.columns + n])
          << rows << " rows, " << groups << " groups, row " << row << ", column " << n;
    }
  }
}
#endif

TEST(AmxEmulation, TheTilesAreExactForAllRowsAndDepths) {
#if defined(LACOS_EMULATES_AMX)
  for (int rows = 1; rows <= kInt8GemmAmxEmulated.rows; rows++) {
    for (const int groups : {1, 15, 16, 17, 32, 48, 63, 80}) {
      ExpectExactTile(rows, groups, false);
      ExpectExactTile(rows, groups, true);
    }
    if (rows % 3 == 0) kInt8GemmAmxEmulated.release();
  }
  kInt8GemmAmxEmulated.release();
#else
  GTEST_SKIP() << "the compiler has no AMX";
#endif
}

}  // namespace
}  // namespace lacos
