// Tiles of the int8 product by themselves: every height and depth, with other codes behind the ends. Kernels that split
// rows are tested in excess_rows_test.cpp.
#include <gtest/gtest.h>

#include <cstring>

#include "numbers.h"
#include "test_kernels.h"

namespace lacos {
namespace {

std::vector<std::string> KernelsThatTakeAnyCodes() {
  std::vector<std::string> names;
  for (const std::string& name : UsableKernels()) {
    if (SelectKernels(name.c_str()).int8_gemm->split == nullptr) names.push_back(name);
  }
  return names;
}

class Int8TileOf : public EveryKernelSet {};

void ExpectExact(const Int8GemmKernel& kernel, int rows, int groups, bool accumulate) {
  const int k = groups * kernel.k_group;
  const int row_codes = k + 64;
  Numbers numbers(static_cast<uint32_t>(rows * 1009 + groups));
  const std::vector<int8_t> codes = numbers.Codes(static_cast<size_t>(row_codes) * rows);
  std::vector<int8_t> weights = numbers.Codes(static_cast<size_t>(k + 64) * kernel.columns);
  for (size_t i = 0; i < weights.size(); i += 7) weights[i] = -128;
  std::vector<uint8_t> b(weights.size());
  for (size_t i = 0; i < b.size(); i++) b[i] = static_cast<uint8_t>(weights[i]) ^ kernel.weight_xor;
  std::vector<int32_t> c(static_cast<size_t>(rows) * kernel.columns, 11);
  kernel.tile(
      {rows, groups, accumulate, codes.data(), static_cast<size_t>(row_codes), b.data(), c.data(), b.data(), 0});
  for (int row = 0; row < rows; row++) {
    for (int n = 0; n < kernel.columns; n++) {
      int32_t expected = accumulate ? 11 : 0;
      for (int i = 0; i < k; i++) {
        const size_t at = (static_cast<size_t>(i / kernel.k_group) * kernel.columns + n) * kernel.k_group;
        expected +=
            codes[static_cast<size_t>(row_codes) * row + i] * (weights[at + i % kernel.k_group] + kernel.compensation);
      }
      ASSERT_EQ(expected, c[static_cast<size_t>(row) * kernel.columns + n])
          << rows << " rows, " << groups << " groups, row " << row << ", column " << n;
    }
  }
}

TEST_P(Int8TileOf, AllRowsAndDepthsIsExact) {
  const Int8GemmKernel& kernel = *kernels().int8_gemm;
  for (int rows = 1; rows <= kernel.rows; rows++) {
    for (const int groups : {1, 15, 16, 17, 32, 48, 63, 80}) {
      ExpectExact(kernel, rows, groups, false);
      ExpectExact(kernel, rows, groups, true);
    }
    if (kernel.release != nullptr && rows % 3 == 0) kernel.release();
  }
  if (kernel.release != nullptr) kernel.release();
}

INSTANTIATE_TEST_SUITE_P(Kernels, Int8TileOf, testing::ValuesIn(KernelsThatTakeAnyCodes()),
                         [](const testing::TestParamInfo<std::string>& info) { return info.param; });

}  // namespace
}  // namespace lacos
