// The way back through the int8 linear layer against plain loops in double, where tiles, panels and blocks end.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "lacos_native.h"
#include "numbers.h"
#include "test_kernels.h"

namespace lacos {
namespace {

struct Layer {
  lacos_int8_linear* handle = nullptr;
  std::vector<int8_t> codes;
  std::vector<float> absmax;
  int n, k;

  Layer(int n, int k, uint32_t seed, int threads, const std::string& isa) : n(n), k(k) {
    Numbers numbers(seed);
    codes = numbers.Codes(static_cast<size_t>(n) * k);
    for (int i = 0; i < n; i++) absmax.push_back(numbers.Uniform(0.1f, 2.0f));
    codes[0] = -128;  // a file may hold it
    EXPECT_EQ(LACOS_OK, lacos_int8_linear_create(n, k, codes.data(), absmax.data(), threads, isa.c_str(), &handle))
        << lacos_last_error();
  }
  ~Layer() { lacos_int8_linear_destroy(handle); }

  std::vector<float> Backward(const std::vector<float>& gradient, int mode) const {
    const size_t m = gradient.size() / n;
    std::vector<float> dx(m * k, -7.0f);
    EXPECT_EQ(LACOS_OK, lacos_int8_linear_backward(handle, gradient.data(), static_cast<int64_t>(m), mode, dx.data()))
        << lacos_last_error();
    return dx;
  }

  // In int8 with the same codes of the gradient, so that only the rounding of the last floats may differ.
  void ExpectReference(int m, int mode, uint32_t seed) const {
    Numbers numbers(seed);
    const std::vector<float> gradient = numbers.Normals(static_cast<size_t>(m) * n, 0.01f);
    const std::vector<float> dx = Backward(gradient, mode);
    for (int row = 0; row < m; row++) {
      std::vector<double> value(n);
      float most = 0;
      for (int o = 0; o < n; o++) {
        const float scaled = gradient[static_cast<size_t>(row) * n + o] * (absmax[o] / 127.0f);
        value[o] = scaled;
        most = std::max(most, std::fabs(scaled));
      }
      if (mode == LACOS_GRADIENT_INT8) {
        for (double& v : value) v = std::nearbyint(static_cast<float>(v) * (127.0f / most)) * (most / 127.0f);
      }
      for (int i = 0; i < k; i++) {
        double sum = 0, size = 0;
        for (int o = 0; o < n; o++) {
          const double term = value[o] * codes[static_cast<size_t>(o) * k + i];
          sum += term;
          size += std::fabs(term);
        }
        ASSERT_NEAR(sum, dx[static_cast<size_t>(row) * k + i], 2e-6 * size + 1e-12)
            << m << " x " << n << " x " << k << ", mode " << mode << ", row " << row << ", column " << i;
      }
    }
  }
};

class InputGradient : public EveryKernelSet {};

TEST_P(InputGradient, IsTheReferenceOneForEverySmallSize) {
  for (const int mode : {LACOS_GRADIENT_INT8, LACOS_GRADIENT_FLOAT32}) {
    for (int n = 1; n <= 10; n++) {
      for (int k = 1; k <= 10; k++) {
        const Layer layer(n, k, static_cast<uint32_t>(n * 100 + k), 1, GetParam());
        for (int m = 1; m <= 10; m += 3) layer.ExpectReference(m, mode, static_cast<uint32_t>(m));
      }
    }
  }
}

TEST_P(InputGradient, IsTheReferenceOneAroundTileAndPanel) {
  const int rows = kernels().int8_gemm->rows;
  const int width = kernels().int8_gemm->columns;
  for (const int n : {width - 1, width, width + 1, 3 * width - 1}) {
    for (const int k : {width - 1, width, width + 1, 2 * width + 3}) {
      const Layer layer(n, k, static_cast<uint32_t>(n * 1000 + k), 2, GetParam());
      for (const int mode : {LACOS_GRADIENT_INT8, LACOS_GRADIENT_FLOAT32}) {
        for (const int m : {1, rows - 1, rows + 1, 4 * rows - 1}) layer.ExpectReference(m, mode, 5);
      }
    }
  }
}

TEST_P(InputGradient, IsTheReferenceOneForManyOutputsAndManyRows) {
  const Layer deep(512 * 2 + 37, 70, 1, 2, GetParam());
  const Layer shallow(33, 20, 2, 2, GetParam());
  for (const int mode : {LACOS_GRADIENT_INT8, LACOS_GRADIENT_FLOAT32}) {
    deep.ExpectReference(9, mode, 3);
    shallow.ExpectReference(1601, mode, 4);
  }
}

TEST_P(InputGradient, OneRowHasTheSameBitsAmongOthersAndWithMoreThreads) {
  const int m = 61, n = 700, k = 150;
  const std::vector<float> gradient = Numbers(3).Normals(static_cast<size_t>(m) * n, 1.0f);
  const Layer one(n, k, 9, 1, GetParam());
  const Layer four(n, k, 9, 4, GetParam());
  for (const int mode : {LACOS_GRADIENT_INT8, LACOS_GRADIENT_FLOAT32}) {
    const std::vector<float> together = four.Backward(gradient, mode);
    for (int row = 0; row < m; row++) {
      const auto from = gradient.begin() + static_cast<ptrdiff_t>(row) * n;
      const std::vector<float> alone = one.Backward({from, from + n}, mode);
      ASSERT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + static_cast<ptrdiff_t>(row) * k)) << row;
    }
  }
}

TEST_P(InputGradient, NotANumberStaysInItsRowAndShows) {
  const int m = 8, n = 40, k = 50;
  std::vector<float> gradient = Numbers(6).Normals(static_cast<size_t>(m) * n, 1.0f);
  gradient[3 * n + 7] = NAN;
  gradient[5 * n + 39] = INFINITY;
  const Layer layer(n, k, 7, 2, GetParam());
  const std::vector<float> dx = layer.Backward(gradient, LACOS_GRADIENT_INT8);
  for (int i = 0; i < m * k; i++) EXPECT_EQ(i / k == 3 || i / k == 5, std::isnan(dx[i])) << i;
}

TEST_P(InputGradient, RowsOfZerosGiveZeros) {
  const Layer layer(20, 33, 7, 1, GetParam());
  for (const float value : layer.Backward(std::vector<float>(20 * 4), LACOS_GRADIENT_INT8)) EXPECT_EQ(0.0f, value);
}

TEST(InputGradientErrors, ImpossibleArgumentsAreRefusedWithAMessage) {
  const Layer layer(1, 1, 1, 1, "scalar");
  const float one = 1.0f;
  float dx = 0;
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_int8_linear_backward(nullptr, &one, 1, 0, &dx));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_int8_linear_backward(layer.handle, nullptr, 1, 0, &dx));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_int8_linear_backward(layer.handle, &one, 1, 0, nullptr));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_int8_linear_backward(layer.handle, &one, -1, 0, &dx));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_int8_linear_backward(layer.handle, &one, 1, 2, &dx));
  EXPECT_NE(std::string(lacos_last_error()).find("mode is 2"), std::string::npos) << lacos_last_error();
  EXPECT_EQ(LACOS_OK, lacos_int8_linear_backward(layer.handle, nullptr, 0, 0, nullptr));
}

TEST(InputGradientErrors, MoreOutputsThanAnInt32CanSumAreRefused) {
  const Layer layer(131073, 1, 1, 1, "scalar");
  const std::vector<float> gradient(131073, 1.0f);
  float dx = 0;
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_int8_linear_backward(layer.handle, gradient.data(), 1, 0, &dx));
  EXPECT_EQ(LACOS_OK, lacos_int8_linear_backward(layer.handle, gradient.data(), 1, 1, &dx));
}

LACOS_ON_EVERY_KERNEL_SET(InputGradient);

}  // namespace
}  // namespace lacos
