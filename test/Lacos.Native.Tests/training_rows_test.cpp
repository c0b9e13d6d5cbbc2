// Row operations of training and the way back through attention, against double.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "attention.h"
#include "attention_backward.h"
#include "numbers.h"
#include "test_kernels.h"
#include "training_kernels.h"

namespace lacos {
namespace {

class TrainingRows : public EveryKernelSet {
 protected:
  const TrainingKernels& training() const { return *kernels().training; }
};

uint32_t Mix(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

constexpr double kPi = 3.14159265358979323846;

double Gelu(double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / kPi) * (x + 0.044715 * x * x * x))); }

TEST_P(TrainingRows, DropoutKeepsWhatItsFormulaKeepsForEveryLength) {
  std::vector<uint32_t> features(96);
  for (size_t i = 0; i < features.size(); i++) features[i] = Mix(static_cast<uint32_t>(i) * 0x9E3779B9u);
  for (int n = 1; n <= 70; n++) {
    const DropoutRow row{features.data(), Mix(static_cast<uint32_t>(n)), 1u << 30};
    std::vector<float> x = Numbers(static_cast<uint32_t>(n)).Normals(n, 1.0f), y(n + 1, 1.0f);
    std::vector<float> dropped = x;
    dropped.push_back(99.0f);
    training().drop(row, n, dropped.data());
    training().add_kept(row, n, x.data(), y.data());
    for (int i = 0; i < n; i++) {
      const bool keep = Mix(features[i] ^ row.token) >= row.threshold;
      EXPECT_EQ(keep ? x[i] : 0.0f, dropped[i]);
      EXPECT_EQ(keep ? 1.0f + x[i] : 1.0f, y[i]);
    }
    EXPECT_EQ(99.0f, dropped[n]) << "written past the end";
    EXPECT_EQ(1.0f, y[n]) << "written past the end";
  }
}

TEST_P(TrainingRows, AnElementAtTheThresholdIsKept) {
  std::vector<uint32_t> features(64);
  for (size_t i = 0; i < features.size(); i++) features[i] = Mix(static_cast<uint32_t>(i) * 0x9E3779B9u);
  for (int i = 0; i < 40; i++) {
    const uint32_t token = 77, mixed = Mix(features[i] ^ token);
    std::vector<float> x(40, 2.0f), y = x;
    training().drop({features.data(), token, mixed}, 40, x.data());
    training().drop({features.data(), token, mixed + 1}, 40, y.data());
    EXPECT_EQ(2.0f, x[i]);
    EXPECT_EQ(0.0f, y[i]);
  }
}

TEST_P(TrainingRows, GeluAndItsSlopeAreThoseOfDouble) {
  std::vector<float> x;
  for (float value = -9; value < 9; value += 0.037f) x.push_back(value);
  const int n = static_cast<int>(x.size());
  std::vector<float> y(n), slope(n, 2.0f);
  training().gelu(x.data(), n, y.data());
  training().gelu_backward(x.data(), n, slope.data());
  for (int i = 0; i < n; i++) {
    EXPECT_NEAR(Gelu(x[i]), y[i], 2e-6 * (1 + std::fabs(x[i]))) << x[i];
    EXPECT_NEAR((Gelu(x[i] + 1e-5) - Gelu(x[i] - 1e-5)) / 1e-5, slope[i], 2e-5) << x[i];
  }
}

TEST_P(TrainingRows, FarFromZeroTheSlopeOfGeluIsZeroOrOneAndNotANumberShows) {
  const std::vector<float> x = {-20.0f, -1e4f, -1e9f, -1e13f, -1e20f, -3e38f, 20.0f, 1e4f, 1e13f, 1e20f, 3e38f, NAN};
  std::vector<float> slope(x.size(), 1.0f);
  training().gelu_backward(x.data(), static_cast<int>(x.size()), slope.data());
  for (size_t i = 0; i + 1 < x.size(); i++) EXPECT_NEAR(x[i] < 0 ? 0 : 1, slope[i], 1e-6) << x[i];
  EXPECT_TRUE(std::isnan(slope.back()));
}

TEST_P(TrainingRows, TheGradientOfALayerNormIsThatOfDoubleForEveryLength) {
  for (int n = 2; n <= 50; n++) {
    Numbers numbers(static_cast<uint32_t>(n));
    const std::vector<float> x = numbers.Normals(n, 2.0f), weight = numbers.Normals(n, 1.0f),
                             dy = numbers.Normals(n, 1.0f);
    std::vector<float> dx(n + 1, 0.5f);
    training().layer_norm_backward(x.data(), n, weight.data(), 1e-3f, dy.data(), dx.data());
    const auto Loss = [&](int at, double shift) {
      double mean = 0, variance = 0, loss = 0;
      const auto Value = [&](int i) { return x[i] + (i == at ? shift : 0.0); };
      for (int i = 0; i < n; i++) mean += Value(i) / n;
      for (int i = 0; i < n; i++) variance += (Value(i) - mean) * (Value(i) - mean) / n;
      for (int i = 0; i < n; i++) loss += (Value(i) - mean) / std::sqrt(variance + 1e-3) * weight[i] * dy[i];
      return loss;
    };
    for (int i = 0; i < n; i++) EXPECT_NEAR(0.5 + (Loss(i, 1e-5) - Loss(i, -1e-5)) / 2e-5, dx[i], 2e-4) << n;
    EXPECT_EQ(0.5f, dx[n]) << "written past the end";
  }
}

TEST_P(TrainingRows, HalvesAreTheNearestOnesAndComeBackAsTheyWere) {
  for (int n = 1; n <= 40; n++) {
    const std::vector<float> x = Numbers(static_cast<uint32_t>(n)).Normals(n, 3.0f);
    std::vector<uint16_t> halves(n + 1, 7);
    std::vector<float> y(n);
    training().pack(x.data(), n, halves.data());
    training().unpack(halves.data(), n, y.data());
    for (int i = 0; i < n; i++) {
      EXPECT_LE(std::fabs(y[i] - x[i]), std::ldexp(std::fabs(x[i]), -8)) << x[i];
      uint32_t bits;
      std::memcpy(&bits, &y[i], sizeof bits);
      EXPECT_EQ(bits >> 16, halves[i]);
    }
    EXPECT_EQ(7, halves[n]) << "written past the end";
  }
  // Halfway between two: the even one.
  const float ties[] = {1.00390625f, 1.01171875f};
  uint16_t halves[2];
  training().pack(ties, 2, halves);
  EXPECT_EQ(0x3F80, halves[0]);
  EXPECT_EQ(0x3F82, halves[1]);
}

// Causal attention with ALiBi of one head, in double: loss = sum of context * weights.
double AttentionLoss(const std::vector<double>& qkv, int tokens, int size, double slope,
                     const std::vector<float>& weights) {
  double loss = 0;
  for (int i = 0; i < tokens; i++) {
    std::vector<double> scores(i + 1);
    double total = 0;
    for (int j = 0; j <= i; j++) {
      for (int d = 0; d < size; d++) scores[j] += qkv[i * 3 * size + d] * qkv[j * 3 * size + size + d];
      total += scores[j] = std::exp(scores[j] / std::sqrt(size) + slope * j);
    }
    for (int j = 0; j <= i; j++) {
      for (int d = 0; d < size; d++)
        loss += scores[j] / total * qkv[j * 3 * size + 2 * size + d] * weights[i * size + d];
    }
  }
  return loss;
}

TEST_P(TrainingRows, TheWayBackThroughAttentionIsThatOfDouble) {
  for (const int tokens : {1, 2, 7, 48, 53}) {
    const int size = 5;
    Numbers numbers(static_cast<uint32_t>(tokens));
    const int n = tokens * 3 * size;
    std::vector<float> qkv = numbers.Normals(n, 1.0f);
    std::vector<float> weights = numbers.Normals(tokens * size, 1.0f);
    std::vector<uint16_t> halves(n);
    training().pack(qkv.data(), n, halves.data());
    training().unpack(halves.data(), n, qkv.data());
    std::vector<float> gradient(n + 64, 99.0f), readable = weights;
    readable.resize(weights.size() + 64);
    AttentionBackwardScratch scratch;
    scratch.Reserve(*kernels().float_gemm, tokens, size);
    RunAttentionHeadBackward(
        kernels(), {halves.data(), 3 * size, tokens, size, 0.25f, readable.data(), size, gradient.data()}, scratch);
    std::vector<double> at(qkv.begin(), qkv.end());
    for (int i = 0; i < n; i++) {
      at[i] = qkv[i] + 1e-4;
      const double up = AttentionLoss(at, tokens, size, 0.25, weights);
      at[i] = qkv[i] - 1e-4;
      const double down = AttentionLoss(at, tokens, size, 0.25, weights);
      at[i] = qkv[i];
      ASSERT_NEAR((up - down) / 2e-4, gradient[i], 1e-4) << tokens << " tokens, element " << i;
    }
    EXPECT_EQ(99.0f, gradient[n]) << "written past the end";
  }
}

LACOS_ON_EVERY_KERNEL_SET(TrainingRows);

}  // namespace
}  // namespace lacos
