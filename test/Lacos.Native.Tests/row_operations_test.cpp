// Layer norm, quantisation, softmax and GELU of single rows, against double; rows that become columns.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "lacos_native.h"
#include "numbers.h"
#include "reference_encoder.h"
#include "test_kernels.h"

namespace lacos {
namespace {

constexpr float kNoLimit = std::numeric_limits<float>::infinity();
class RowOperations : public EveryKernelSet {};

TEST_P(RowOperations, LayerNormIsCloseToDoubleForEveryLength) {
  for (int n = 1; n <= 70; n++) {
    Numbers numbers(static_cast<uint32_t>(n));
    const std::vector<float> x = numbers.Normals(n, 3.0f), weight = numbers.Normals(n, 1.0f),
                             bias = numbers.Normals(n, 1.0f);
    std::vector<float> y(n + 1, 99.0f);
    kernels().vector->layer_norm(x.data(), n, weight.data(), bias.data(), 1e-5f, y.data());
    double mean = 0, variance = 0;
    for (const float value : x) mean += value / static_cast<double>(n);
    for (const float value : x) variance += (value - mean) * (value - mean) / n;
    for (int i = 0; i < n; i++)
      EXPECT_NEAR((x[i] - mean) / std::sqrt(variance + 1e-5) * weight[i] + bias[i], y[i], 1e-5);
    EXPECT_EQ(99.0f, y[n]) << "written past the end";
  }
}

TEST_P(RowOperations, CodesAreRoundedToEven) {
  // absmax 127: the factor is 1, and halves are exact ties.
  std::vector<float> x = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 3.49f, 127.0f, -126.5f, 125.5f};
  const std::vector<int> expected = {0, 2, 2, 0, -2, -2, 3, 127, -126, 126};
  std::vector<int8_t> codes(64);
  QuantizeRow row{x.data(), static_cast<int>(x.size()), kNoLimit, nullptr, codes.data(), 0, 0};
  kernels().vector->quantize_row(row);
  int sum = 0;
  for (size_t i = 0; i < x.size(); i++) {
    EXPECT_EQ(expected[i], codes[i]) << x[i];
    sum += expected[i];
  }
  EXPECT_EQ(1.0f, row.scale);
  EXPECT_EQ(sum, row.sum);
}

TEST_P(RowOperations, QuantisedRowsAreEqualToTheScalarOnes) {
  const VectorKernels& scalar = *SelectKernels("scalar").vector;
  for (int n = 1; n <= 100; n++) {
    Numbers numbers(static_cast<uint32_t>(n));
    const std::vector<float> x = numbers.Normals(n, 1.0f);
    std::vector<int8_t> a(128, 55), b(128, 55);
    QuantizeRow first{x.data(), n, 1.5f, nullptr, a.data(), 0, 0}, second = first;
    second.codes = b.data();
    scalar.quantize_row(first);
    kernels().vector->quantize_row(second);
    EXPECT_EQ(a, b) << n;
    EXPECT_EQ(first.scale, second.scale);
    EXPECT_EQ(first.sum, second.sum);
  }
}

TEST_P(RowOperations, CodesBeyondALimitSaturateHoweverLarge) {
  const int n = 150;
  std::vector<float> x(n, 0.5f);
  for (int i = 0; i < n; i += 3) x[i] = i % 2 == 0 ? 1e30f : -1e30f;
  std::vector<int8_t> codes(160);
  QuantizeRow row{x.data(), n, 1.0f, nullptr, codes.data(), 0, 0};
  kernels().vector->quantize_row(row);
  for (int i = 0; i < n; i++) ASSERT_EQ(codes[i], x[i] < 0 ? -127 : 127) << i;
  EXPECT_EQ(row.scale, 0.5f / 127.0f);
}

// Kernels look for weights wherever there is a code, and behind the row there are none.
TEST_P(RowOperations, PaddingOfABrokenRowIsZero) {
  for (int n = 1; n <= 70; n++) {
    const int padded = (n + 15) / 16 * 16;
    for (const float broken : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      for (int at = 0; at < n; at++) {
        std::vector<float> x(n, 1.5f);
        x[at] = broken;
        std::vector<int8_t> codes(padded, 1);
        QuantizeRow row{x.data(), n, std::numeric_limits<float>::infinity(), nullptr, codes.data(), 0, 0};
        kernels().vector->quantize_row(row);
        EXPECT_TRUE(std::isnan(row.scale)) << n;
        for (int i = n; i < padded; i++) ASSERT_EQ(0, codes[i]) << n << " elements, number " << at << " is " << broken;
      }
    }
  }
}

TEST_P(RowOperations, TinyRowsAreZeroAndNotInfinite) {
  for (const float value : {0.0f, 1e-44f, 1e-38f}) {
    const std::vector<float> x(20, value);
    std::vector<int8_t> codes(32, 55);
    QuantizeRow row{x.data(), 20, kNoLimit, nullptr, codes.data(), -1, -1};
    kernels().vector->quantize_row(row);
    EXPECT_EQ(0.0f, row.scale);
    EXPECT_EQ(0, row.sum);
    EXPECT_EQ(std::vector<int8_t>(32), codes);
  }
}

TEST_P(RowOperations, RowsBecomeColumnsForEveryShape) {
  constexpr size_t kStride = 48;
  for (const int count : {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 48}) {
    for (const int size : {1, 3, 8, 15, 16, 17, 32, 37}) {
      std::vector<float> from(static_cast<size_t>(count) * size);
      for (size_t i = 0; i < from.size(); i++) from[i] = static_cast<float>(i);
      std::vector<const float*> rows;
      for (int i = 0; i < count; i++) rows.push_back(from.data() + static_cast<size_t>(i) * size);
      std::vector<float> to(kStride * size + 16, -1.0f);
      kernels().vector->transpose(rows.data(), count, size, to.data(), kStride);
      const size_t written = (static_cast<size_t>(count) + 15) / 16 * 16;
      for (int d = 0; d < size; d++) {
        for (size_t i = 0; i < kStride; i++) {
          const float value = to[kStride * d + i];
          if (i < static_cast<size_t>(count)) {
            ASSERT_EQ(from[i * size + d], value) << count << " " << size;
          } else if (i >= written) {
            ASSERT_EQ(-1.0f, value) << "written past column " << written;
          }
        }
      }
      for (size_t i = kStride * size; i < to.size(); i++) ASSERT_EQ(-1.0f, to[i]) << "written past the end";
    }
  }
}

TEST_P(RowOperations, SoftmaxIsCloseToDoubleAndZeroPadded) {
  for (const int n : {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 200}) {
    Numbers numbers(static_cast<uint32_t>(n));
    const int padded = (n + 15) / 16 * 16 + 16;
    std::vector<float> s = numbers.Normals(padded, 40.0f);
    std::vector<double> expected(n);
    double most = -1e300, sum = 0;
    for (int j = 0; j < n; j++) most = std::max(most, expected[j] = s[j] * 0.125 + 0.25 * j);
    for (double& value : expected) sum += value = std::exp(value - most);
    const float inverse = kernels().vector->softmax(s.data(), n, padded, 0.125f, 0.25f);
    for (int j = 0; j < n; j++) EXPECT_NEAR(expected[j] / sum, s[j] * inverse, 2e-6);
    for (int j = n; j < padded; j++) EXPECT_EQ(0.0f, s[j]) << n << " " << j;
  }
}

TEST_P(RowOperations, GeluIsCloseToDoubleOverTheWholeRange) {
  const int panel = kernels().int8_gemm->columns;
  std::vector<float> sums(panel), bias(panel), out(panel);
  for (float x = -12.0f; x <= 12.0f; x += 0.01f) {
    sums[0] = x;
    Finish finish{};
    finish.rows = finish.columns = 1;
    finish.panel = panel;
    finish.float_sums = sums.data();
    finish.bias = bias.data();
    finish.gelu = true;
    finish.out = out.data();
    finish.out_stride = panel;
    kernels().vector->finish(finish);
    EXPECT_NEAR(ReferenceGelu(x), out[0], 1e-6 * std::max(1.0f, std::fabs(x))) << x;
  }
}

LACOS_ON_EVERY_KERNEL_SET(RowOperations);

}  // namespace
}  // namespace lacos
