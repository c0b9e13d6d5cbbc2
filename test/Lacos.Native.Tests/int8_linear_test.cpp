// The int8 linear layer against plain loops, over sizes chosen where tiles, panels and vectors end.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "lacos_native.h"
#include "numbers.h"
#include "reference_encoder.h"
#include "test_kernels.h"

namespace lacos {
namespace {

struct Layer {
  lacos_int8_linear* handle = nullptr;
  Layer(int n, int k, const std::vector<int8_t>& codes, const std::vector<float>& absmax, int threads,
        const std::string& isa) {
    EXPECT_EQ(LACOS_OK, lacos_int8_linear_create(n, k, codes.data(), absmax.data(), threads, isa.c_str(), &handle))
        << lacos_last_error();
  }
  ~Layer() { lacos_int8_linear_destroy(handle); }
};

// With inputs that are whole numbers and contain 127 in every row, codes equal inputs and every float below is a whole
// number under 2^24: the result must be equal, not close.
void ExpectExactProduct(int m, int n, int k, int threads, const std::string& isa) {
  Numbers numbers(static_cast<uint32_t>(m * 1000003 + n * 1009 + k));
  std::vector<int8_t> w = numbers.Codes(static_cast<size_t>(n) * k);
  // Few columns are large: sums stay below 2^24, where a float is exact; other tests cover the extremes.
  for (size_t i = 0; i < w.size(); i++) {
    if (static_cast<int>(i % k) % 64 != 0) w[i] = static_cast<int8_t>(w[i] / 32);
  }
  std::vector<float> x(static_cast<size_t>(m) * k);
  for (float& value : x) value = static_cast<float>(numbers.Whole(-127, 127));
  for (int row = 0; row < m; row++) x[static_cast<size_t>(row) * k + row % k] = row % 2 == 0 ? 127.0f : -127.0f;
  const std::vector<float> absmax(n, 127.0f);
  const Layer layer(n, k, w, absmax, threads, isa);
  std::vector<float> y(static_cast<size_t>(m) * n, -7.0f);
  ASSERT_EQ(LACOS_OK,
            lacos_int8_linear_forward(layer.handle, x.data(), m, 0, nullptr, LACOS_ACTIVATION_NONE, nullptr, y.data()));
  for (int row = 0; row < m; row++) {
    for (int o = 0; o < n; o++) {
      int64_t sum = 0;
      for (int i = 0; i < k; i++)
        sum += static_cast<int64_t>(x[static_cast<size_t>(row) * k + i]) * w[static_cast<size_t>(o) * k + i];
      ASSERT_EQ(static_cast<float>(sum), y[static_cast<size_t>(row) * n + o])
          << m << " x " << n << " x " << k << ", row " << row << ", column " << o;
    }
  }
}

class Int8Linear_ : public EveryKernelSet {};

TEST_P(Int8Linear_, IsExactForEverySmallSize) {
  for (int m = 1; m <= 10; m++) {
    for (int n = 1; n <= 10; n++) {
      for (int k = 1; k <= 10; k++) ExpectExactProduct(m, n, k, 1, GetParam());
    }
  }
}

TEST_P(Int8Linear_, IsExactAroundTheTile) {
  const int rows = kernels().int8_gemm->rows;
  const int columns = kernels().int8_gemm->columns;
  for (const int m : {1, rows - 1, rows, rows + 1, 2 * rows + 1, 4 * rows - 1}) {
    for (const int n : {1, columns - 1, columns, columns + 1, 3 * columns - 1}) {
      for (const int k : {3, 63, 64, 65, 160}) ExpectExactProduct(m, n, k, 2, GetParam());
    }
  }
}

TEST_P(Int8Linear_, IsExactForOneRowAndManyColumns) { ExpectExactProduct(1, 1031, 257, 2, GetParam()); }

TEST_P(Int8Linear_, IsExactForManyRows) { ExpectExactProduct(811, 33, 48, 2, GetParam()); }

TEST_P(Int8Linear_, IsExactForDeepSums) {
  // Deeper than one block of k, with a ragged end.
  for (const int m : {1, 7, 16}) ExpectExactProduct(m, 65, 4096 + 4096 + 37, 2, GetParam());
}

TEST_P(Int8Linear_, DoesNotSaturateOnTheLargestCodes) {
  const int k = 8192, n = 17, m = 3;
  const std::vector<float> absmax(n, 127.0f * 127.0f);
  for (const int sign : {1, -1}) {
    std::vector<int8_t> w(static_cast<size_t>(n) * k, static_cast<int8_t>(127 * sign));
    // A file may hold -128, which no quantiser writes.
    if (sign < 0) std::fill_n(w.begin(), k, static_cast<int8_t>(-128));
    const std::vector<float> x(static_cast<size_t>(m) * k, 1.0f);
    const Layer layer(n, k, w, absmax, 1, GetParam());
    std::vector<float> y(static_cast<size_t>(m) * n);
    ASSERT_EQ(LACOS_OK, lacos_int8_linear_forward(layer.handle, x.data(), m, 0, nullptr, 0, nullptr, y.data()));
    for (int o = 0; o < n; o++) {
      const double expected = 127.0 * w[static_cast<size_t>(o) * k] * k * (1.0 / 127) * 127.0;
      EXPECT_NEAR(expected, y[o], std::fabs(expected) * 1e-6);
    }
  }
}

TEST_P(Int8Linear_, AddsBiasThenGeluThenResidual) {
  for (const int n : {5, 16, 63, 64, 130}) {
    const int m = 9, k = 70;
    Numbers numbers(static_cast<uint32_t>(n));
    RandomLinear linear{RandomMatrix(numbers, n, k, LACOS_SCHEME_ROWWISE, 0.2f), numbers.Normals(n, 0.5f)};
    const std::vector<float> x = numbers.Normals(static_cast<size_t>(m) * k, 1.0f);
    const std::vector<float> residual = numbers.Normals(static_cast<size_t>(m) * n, 1.0f);
    const Layer layer(n, k, linear.weight.codes, linear.weight.scales, 2, GetParam());
    std::vector<float> y = residual;  // in place
    ASSERT_EQ(LACOS_OK, lacos_int8_linear_forward(layer.handle, x.data(), m, 0, linear.bias.data(),
                                                  LACOS_ACTIVATION_GELU, y.data(), y.data()));
    const std::vector<double> expected =
        ReferenceLinear(linear, std::vector<double>(x.begin(), x.end()), ReferenceOptions{true, 0});
    for (size_t i = 0; i < y.size(); i++)
      EXPECT_NEAR(ReferenceGelu(expected[i]) + residual[i], y[i], 2e-3) << n << " " << i;
  }
}

TEST_P(Int8Linear_, OneRowHasTheSameBitsAmongOthersAndWithMoreThreads) {
  const int m = 61, n = 150, k = 300;
  Numbers numbers(3);
  const RandomMatrix weight(numbers, n, k, LACOS_SCHEME_ROWWISE, 0.2f);
  const std::vector<float> bias = numbers.Normals(n, 1.0f);
  const std::vector<float> x = numbers.Normals(static_cast<size_t>(m) * k, 1.0f);
  const Layer one(n, k, weight.codes, weight.scales, 1, GetParam());
  const Layer four(n, k, weight.codes, weight.scales, 4, GetParam());
  std::vector<float> together(static_cast<size_t>(m) * n), alone(n);
  ASSERT_EQ(LACOS_OK, lacos_int8_linear_forward(four.handle, x.data(), m, 0, bias.data(), 1, nullptr, together.data()));
  for (int row = 0; row < m; row++) {
    ASSERT_EQ(LACOS_OK, lacos_int8_linear_forward(one.handle, x.data() + static_cast<size_t>(row) * k, 1, 0,
                                                  bias.data(), 1, nullptr, alone.data()));
    ASSERT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + static_cast<size_t>(row) * n)) << row;
  }
}

TEST_P(Int8Linear_, LayersOfAMegabyteKeepTheirWeightsWhileOthersComeAndGo) {
  // Enough for more than one of the stretches of memory that they share, and of different sizes.
  constexpr int kLayers = 36, k = 1024;
  Numbers numbers(17);
  const std::vector<int8_t> codes = numbers.Codes(static_cast<size_t>(kLayers + 1200) * k);
  const std::vector<float> absmax(1200, 127.0f);
  const auto rows_of = [](int i) { return 1030 + 5 * (i % 30); };
  const auto make = [&](int i) {
    const auto first = codes.begin() + static_cast<std::ptrdiff_t>(i) * k;
    const std::vector<int8_t> own(first, first + static_cast<std::ptrdiff_t>(rows_of(i)) * k);
    return std::make_unique<Layer>(rows_of(i), k, own, absmax, 2, GetParam());
  };
  std::vector<std::unique_ptr<Layer>> layers;
  for (int i = 0; i < kLayers; i++) layers.push_back(make(i));
  for (int i = 0; i < kLayers; i += 3) layers[i].reset();
  for (int i = 0; i < kLayers; i += 6) layers[i] = make(i);
  for (int i = 0; i < kLayers; i++) {
    if (layers[i] == nullptr) continue;
    std::vector<float> x(k, 0.0f), y(rows_of(i));
    const int columns[] = {i, 500 + i, k - 1 - i};
    for (const int column : columns) x[column] = 127.0f;
    ASSERT_EQ(LACOS_OK, lacos_int8_linear_forward(layers[i]->handle, x.data(), 1, 0, nullptr, LACOS_ACTIVATION_NONE,
                                                  nullptr, y.data()));
    for (int o = 0; o < rows_of(i); o++) {
      int sum = 0;
      for (const int column : columns) sum += 127 * codes[static_cast<size_t>(i + o) * k + column];
      ASSERT_EQ(static_cast<float>(sum), y[o]) << "layer " << i << ", output " << o;
    }
  }
}

TEST_P(Int8Linear_, RowsOfZerosGiveTheBias) {
  const int m = 4, n = 20, k = 33;
  Numbers numbers(5);
  const RandomMatrix weight(numbers, n, k, LACOS_SCHEME_ROWWISE, 0.2f);
  const std::vector<float> bias = numbers.Normals(n, 1.0f);
  const std::vector<float> x(static_cast<size_t>(m) * k);
  const Layer layer(n, k, weight.codes, weight.scales, 1, GetParam());
  std::vector<float> y(static_cast<size_t>(m) * n);
  ASSERT_EQ(LACOS_OK, lacos_int8_linear_forward(layer.handle, x.data(), m, 0, bias.data(), 0, nullptr, y.data()));
  for (size_t i = 0; i < y.size(); i++) EXPECT_EQ(bias[i % n], y[i]);
}

TEST_P(Int8Linear_, NotANumberStaysInItsRowAndShows) {
  const int m = 8, n = 40, k = 50;
  Numbers numbers(6);
  const RandomMatrix weight(numbers, n, k, LACOS_SCHEME_ROWWISE, 0.2f);
  std::vector<float> x = numbers.Normals(static_cast<size_t>(m) * k, 1.0f);
  x[3 * k + 7] = NAN;
  x[5 * k + 49] = INFINITY;
  const Layer layer(n, k, weight.codes, weight.scales, 2, GetParam());
  std::vector<float> y(static_cast<size_t>(m) * n);
  ASSERT_EQ(LACOS_OK, lacos_int8_linear_forward(layer.handle, x.data(), m, 0, nullptr, 0, nullptr, y.data()));
  for (int i = 0; i < m * n; i++) {
    const bool poisoned = i / n == 3 || i / n == 5;
    EXPECT_EQ(poisoned, std::isnan(y[i])) << i;
  }
}

TEST(Int8LinearAcrossKernelSets, IntegerProductsAreEqualOnEveryPath) {
  // Scales of 1 leave the integers as they are; the float epilogue is then exact on every path.
  const int m = 23, n = 77, k = 1000;
  Numbers numbers(8);
  std::vector<int8_t> w = numbers.Codes(static_cast<size_t>(n) * k);
  std::vector<float> x(static_cast<size_t>(m) * k);
  for (float& value : x) value = static_cast<float>(numbers.Whole(-126, 126));
  for (int row = 0; row < m; row++) x[static_cast<size_t>(row) * k] = 127.0f;
  const std::vector<float> absmax(n, 127.0f);
  std::vector<float> first;
  for (const std::string& isa : UsableKernels()) {
    const Layer layer(n, k, w, absmax, 1, isa);
    std::vector<float> y(static_cast<size_t>(m) * n);
    ASSERT_EQ(LACOS_OK, lacos_int8_linear_forward(layer.handle, x.data(), m, 0, nullptr, 0, nullptr, y.data()));
    if (first.empty()) first = y;
    EXPECT_EQ(first, y) << isa;
  }
}

TEST(Int8LinearErrors, ImpossibleArgumentsAreRefusedWithAMessage) {
  lacos_int8_linear* layer = nullptr;
  const int8_t code = 1;
  const float one = 1.0f, bad = NAN;
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_int8_linear_create(0, 1, &code, &one, 1, nullptr, &layer));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_int8_linear_create(1, 1 << 20, &code, &one, 1, nullptr, &layer));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_int8_linear_create(1, 1, nullptr, &one, 1, nullptr, &layer));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_int8_linear_create(1, 1, &code, nullptr, 1, nullptr, &layer));
  EXPECT_STREQ("absmax is null.", lacos_last_error());
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_int8_linear_create(1, 1, &code, &bad, 1, nullptr, &layer));
  EXPECT_NE(std::string(lacos_last_error()).find("nan"), std::string::npos) << lacos_last_error();
  EXPECT_EQ(nullptr, layer);
  ASSERT_EQ(LACOS_OK, lacos_int8_linear_create(1, 1, &code, &one, 1, nullptr, &layer));
  float y = 0;
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_int8_linear_forward(layer, nullptr, 1, 0, nullptr, 0, nullptr, &y));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_int8_linear_forward(layer, &one, -1, 0, nullptr, 0, nullptr, &y));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_int8_linear_forward(layer, &one, 1, 0, nullptr, 9, nullptr, &y));
  EXPECT_EQ(LACOS_OK, lacos_int8_linear_forward(layer, nullptr, 0, 0, nullptr, 0, nullptr, nullptr));
  lacos_int8_linear_destroy(layer);
  lacos_int8_linear_destroy(nullptr);
}

LACOS_ON_EVERY_KERNEL_SET(Int8Linear_);

}  // namespace
}  // namespace lacos
