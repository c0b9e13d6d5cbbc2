// Products in 16-bit sums: what is taken out of rows, and that nothing is lost by it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "linear.h"
#include "numbers.h"
#include "test_kernels.h"
#include "thread_pool.h"
#include "weight_reach.h"

namespace lacos {
namespace {

class ExcessRows_ : public EveryKernelSet {};

struct Codes {
  int rows;
  int columns;
  std::vector<int8_t> values;
  int8_t at(int row, int column) const { return values[static_cast<size_t>(row) * columns + column]; }
};

Codes RandomCodes(Numbers& numbers, int rows, int columns, float deviation) {
  Codes codes{rows, columns, std::vector<int8_t>(static_cast<size_t>(rows) * columns)};
  for (int8_t& code : codes.values) {
    code = static_cast<int8_t>(std::clamp(numbers.Normal(deviation), -127.0f, 127.0f));
  }
  return codes;
}

// x W^T through a layer, where all scales are one and every float is a whole number under 2^24.
void ExpectExact(const KernelSet& kernels, const Codes& x, const Codes& w) {
  const int m = x.rows, n = w.rows, k = x.columns;
  const std::vector<float> absmax(n, 127.0f);
  const WeightView weight({LACOS_SCHEME_ROWWISE, n, k, 0, w.values.data(), absmax.data(), n, nullptr, {}}, n, k, "w",
                          -1);
  Int8Linear layer(kernels, weight, {});
  for (int panel = 0; panel < layer.panel_count(); panel++) layer.PackPanel(weight, panel);
  QuantizedRows rows;
  layer.ReserveRows(rows, m);
  std::vector<float> floats(x.values.begin(), x.values.end());
  for (int row = 0; row < m; row++) {
    float* from = floats.data() + static_cast<size_t>(row) * k;
    rows.Set(kernels, row, from, k, INFINITY, nullptr);
    ASSERT_EQ(1.0f, rows.scales[row]) << "row " << row << " needs a 127";
  }
  ThreadPool pool(1);
  LinearScratch scratch;
  scratch.Reserve(kernels, 1);
  std::vector<float> y(static_cast<size_t>(m) * n);
  layer.Run(pool, scratch, rows, m, layer.bias(), nullptr, nullptr, 0, {y.data(), static_cast<size_t>(n)});
  for (int row = 0; row < m; row++) {
    for (int output = 0; output < n; output++) {
      int64_t sum = 0;
      for (int i = 0; i < k; i++) sum += static_cast<int64_t>(x.at(row, i)) * w.at(output, i);
      ASSERT_LT(std::abs(sum), 1 << 24);
      ASSERT_EQ(static_cast<float>(sum), y[static_cast<size_t>(row) * n + output])
          << "row " << row << ", output " << output << ", " << k << " columns";
    }
  }
}

TEST_P(ExcessRows_, ProductsOfEqualCodesAreExactWhateverTheWeights) {
  // Every weight is one of +-size, so that the bound of the weights is reached, and every row one of +-code.
  constexpr int kColumns = 24;
  for (int size = 1; size <= 127; size++) {
    for (const int pattern : {0, 1, 2, 3}) {
      Codes w{3, kColumns, std::vector<int8_t>(3 * kColumns)};
      Codes x{255, kColumns, std::vector<int8_t>(255 * kColumns)};
      for (int i = 0; i < kColumns; i++) {
        const int sign = (i & pattern) == 0 ? 1 : -1;
        w.values[i] = static_cast<int8_t>(size * sign);
        w.values[kColumns + i] = static_cast<int8_t>(-size * sign);
        w.values[2 * kColumns + i] = static_cast<int8_t>(i % 2 == 0 ? size : -size);
        for (int row = 0; row < 255; row++) x.values[row * kColumns + i] = static_cast<int8_t>((row - 127) * sign);
      }
      for (int row = 0; row < 255; row++) x.values[row * kColumns + 17] = 127;
      ExpectExact(kernels(), x, w);
    }
  }
}

TEST_P(ExcessRows_, ProductsOfRandomCodesAreExact) {
  Numbers numbers(5);
  for (const float deviation : {4.0f, 30.0f, 60.0f, 500.0f}) {
    for (const float weight_deviation : {3.0f, 30.0f, 500.0f}) {
      for (const int k : {5, 16, 36, 510, 513, 700}) {
        Codes x = RandomCodes(numbers, 9, k, deviation);
        for (int row = 0; row < x.rows; row++) x.values[static_cast<size_t>(row) * k + row % k] = 127;
        ExpectExact(kernels(), x, RandomCodes(numbers, 37, k, weight_deviation));
      }
    }
  }
}

// Whether 16 bits hold the codes at these places of eight times any weights whose squares sum to the reach; an infinite
// one stands for all weights that there are. spare: in units of 128.
bool Fits(const int8_t* eight, std::initializer_list<int> places, float reach, int spare) {
  int positive = 0, negative = 0, squares = 0;
  for (const int i : places) {
    (eight[i] > 0 ? positive : negative) += eight[i];
    squares += eight[i] * eight[i];
  }
  if (positive <= 128 && negative >= -128) return true;
  return 128.0 * (std::abs(positive + negative) + spare) + std::sqrt(static_cast<double>(squares) * reach) <= 32767;
}

bool StepFits(const int8_t* eight, float reach, int spare = 0) {
  for (const int i : {0, 2}) {
    // What one instruction adds, which saturates, and the two that are added.
    for (const int pair : {i, i + 4}) {
      if (!Fits(eight, {pair, pair + 1}, reach, spare)) return false;
    }
    if (!Fits(eight, {i, i + 1, i + 4, i + 5}, reach, spare)) return false;
  }
  return true;
}

void ExpectPartsMakeTheRow(const Int8GemmKernel& kernel, float deviation, float reach) {
  const bool is_known = std::isfinite(reach);
  Numbers numbers(6);
  for (int turn = 0; turn < 200; turn++) {
    const int n = 16 * numbers.Whole(1, kExcessColumns / 16);
    const Codes codes = RandomCodes(numbers, 1, n, deviation);
    std::vector<int8_t> left = codes.values;
    const std::vector<uint16_t> reaches(kExcessColumns / kStepColumns, static_cast<uint16_t>(is_known ? reach : 0));
    ExcessStep steps[kExcessStepsMost];
    const int count = kernel.split(left.data(), n, is_known ? reaches.data() : nullptr, steps);
    ASSERT_LE(count, kExcessStepsMost);
    std::vector<int> sums(left.begin(), left.end());
    for (int i = 0; i < n; i += 8) {
      ASSERT_TRUE(StepFits(left.data() + i, reach));
      if (StepFits(codes.values.data() + i, reach * 1.02f, is_known ? 3 : 0)) {
        ASSERT_EQ(0, std::memcmp(left.data() + i, codes.values.data() + i, 8)) << "taken out without need";
      }
    }
    for (int s = 0; s < count; s++) {
      int8_t taken[8];
      std::memcpy(taken, steps[s].codes, 8);
      ASSERT_TRUE(StepFits(taken, INFINITY));
      for (int i = 0; i < 8; i++) {
        const int group = steps[s].offsets[i / 4] / (kernel.columns * kernel.k_group);
        ASSERT_LT(group, n / kernel.k_group);
        sums[static_cast<size_t>(group) * kernel.k_group + i % 4] += taken[i];
      }
    }
    ASSERT_EQ(std::vector<int>(codes.values.begin(), codes.values.end()), sums);
  }
}

TEST(ExcessRows, WhatIsTakenOutAndWhatIsLeftMakeTheRow) {
  int kernels = 0;
  for (const std::string& name : UsableKernels()) {
    const Int8GemmKernel& kernel = *SelectKernels(name.c_str()).int8_gemm;
    if (kernel.split == nullptr) continue;
    kernels++;
    for (const float deviation : {20.0f, 45.0f, 500.0f}) {
      for (const float weight : {5.0f, 60.0f, 90.0f, 127.0f}) {
        ExpectPartsMakeTheRow(kernel, deviation, 4 * weight * weight);
      }
      ExpectPartsMakeTheRow(kernel, deviation, INFINITY);
    }
  }
  if (kernels == 0) GTEST_SKIP() << "no kernel that runs here splits rows";
}

TEST_P(ExcessRows_, ReachIsTheLargestSumOfSquaresOfWeightsThatMeet) {
  const Int8GemmKernel& kernel = *kernels().int8_gemm;
  ASSERT_EQ(kernel.split == nullptr, kernel.reach == nullptr);
  if (kernel.reach == nullptr) return;
  Numbers numbers(7);
  for (const int k : {3, 8, 21, 64}) {
    const int n = 27;
    const Codes w = RandomCodes(numbers, n, k, 60.0f);
    const std::vector<float> absmax(n, 1.0f);
    const WeightView weight({LACOS_SCHEME_ROWWISE, n, k, 0, w.values.data(), absmax.data(), n, nullptr, {}}, n, k, "w",
                            -1);
    Int8Linear layer(kernels(), weight, {});
    WeightReach reach(kernel, n, k);
    for (int panel = 0; panel < layer.panel_count(); panel++) {
      layer.PackPanel(weight, panel);
      reach.Add(layer.panel(panel));
    }
    const uint16_t* outputs = reach.Outputs(layer.panel(0));
    const auto square_sum = [](int length, int step, int lane, const auto& at) {
      int sum = 0;
      for (const int i : {0, 1, 4, 5}) {
        const int place = step * 8 + lane + i;
        if (place < length) sum += at(place) * at(place);
      }
      return sum;
    };
    for (int step = 0; step * 8 < k; step++) {
      int most = 0;
      for (int row = 0; row < n; row++) {
        for (const int lane : {0, 2}) {
          most = std::max(most, square_sum(k, step, lane, [&](int i) { return static_cast<int>(w.at(row, i)); }));
        }
      }
      EXPECT_EQ(std::min(most, 65535), reach.inputs()[step]);
    }
    for (int step = 0; step * 8 < n; step++) {
      int most = 0;
      for (int column = 0; column < k; column++) {
        for (const int lane : {0, 2}) {
          most = std::max(most, square_sum(n, step, lane, [&](int i) { return static_cast<int>(w.at(i, column)); }));
        }
      }
      EXPECT_EQ(std::min(most, 65535), outputs[step]);
    }
  }
}

LACOS_ON_EVERY_KERNEL_SET(ExcessRows_);

}  // namespace
}  // namespace lacos
