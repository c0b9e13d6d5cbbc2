// LLM.int8: columns with outliers run in fp32, decided sentence by sentence.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "quantized_rows.h"
#include "reference_encoder.h"
#include "test_kernels.h"

namespace lacos {
namespace {

class Outliers : public EveryKernelSet {};

RandomModel WithLoudChannels(const Shape& shape) {
  RandomModel model(shape, LACOS_SCHEME_ROWWISE, 9);
  // Trained models have a few channels whose layer norm gain is far above the others.
  for (RandomBlock& block : model.blocks) {
    block.input_norm.weight[3] = 30;
    block.post_norm.weight[shape.hidden - 1] = 25;
  }
  return model;
}

std::vector<float> Tokens(const RandomModel& model, const Sentences& s, float threshold, const std::string& isa) {
  const ModelHandle handle = Create(model, {LACOS_COMPUTE_INT8, threshold, 2, isa});
  return EncodeTokens(handle.get(), s, model.shape.hidden);
}

double MeanError(const std::vector<double>& expected, const std::vector<float>& y) {
  double total = 0;
  for (size_t i = 0; i < y.size(); i++) total += std::fabs(expected[i] - y[i]) / static_cast<double>(y.size());
  return total;
}

TEST_P(Outliers, AgreeWithTheReferenceDecomposition) {
  for (const Shape& shape : {Shape{64, 2, 4, 64, false}, Shape{37, 1, 1, 64, true}}) {
    const RandomModel model = WithLoudChannels(shape);
    Numbers numbers(1);
    Sentences s;
    std::vector<double> expected;
    for (const int length : {6, 1, 11}) {
      const std::vector<int32_t> ids = RandomSentence(numbers, length, 64);
      s.Add(ids);
      const std::vector<double> rows = ReferenceTokens(model, ids, {true, 6.0});
      expected.insert(expected.end(), rows.begin(), rows.end());
    }
    EXPECT_LT(MeanError(expected, Tokens(model, s, 6.0f, GetParam())), 2e-3);
  }
}

TEST_P(Outliers, BringTheResultNearerToFullPrecision) {
  const RandomModel model = WithLoudChannels({64, 2, 4, 64, false});
  Numbers numbers(2);
  const std::vector<int32_t> ids = RandomSentence(numbers, 30, 64);
  Sentences s;
  s.Add(ids);
  const std::vector<double> exact = ReferenceTokens(model, ids, {});
  const double with = MeanError(exact, Tokens(model, s, 6.0f, GetParam()));
  const double without = MeanError(exact, Tokens(model, s, 0.0f, GetParam()));
  EXPECT_LT(with, 0.7 * without);
}

TEST_P(Outliers, OfOneSentenceDoNotTouchAnother) {
  const RandomModel model = WithLoudChannels({64, 2, 4, 64, false});
  Numbers numbers(3);
  std::vector<std::vector<int32_t>> each;
  Sentences all;
  for (int i = 0; i < 25; i++) each.push_back(RandomSentence(numbers, numbers.Whole(0, 9), 64));
  for (const auto& ids : each) all.Add(ids);
  const std::vector<float> together = Tokens(model, all, 2.5f, GetParam());
  for (size_t i = 0; i < each.size(); i++) {
    Sentences one;
    one.Add(each[i]);
    const std::vector<float> alone = Tokens(model, one, 2.5f, GetParam());
    ASSERT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + static_cast<size_t>(all.offsets[i]) * 64))
        << i;
  }
}

TEST_P(Outliers, AreWhatReachesTheThreshold) {
  const int n = 40;
  std::vector<float> x(2 * n, 1.0f);
  x[3] = 6.0f;
  x[7] = std::nextafter(6.0f, 0.0f);
  x[n + 39] = -6.0f;
  const std::vector<uint16_t> reach(n, 0);
  QuantizedRows rows;
  rows.Reserve(*kernels().int8_gemm, 2, n, reach.data());
  std::vector<float> keep(48);
  std::vector<int> columns;
  rows.SetWithOutliers(kernels(), 0, 2, x.data(), n, n, 6.0f, keep.data(), columns);
  EXPECT_EQ((std::vector<int>{3, 39}), columns);
  EXPECT_EQ(0, rows.codes.data()[3]);
  EXPECT_EQ(127, rows.codes.data()[7]);
  // The other row's own scale is that of its elements below the threshold.
  EXPECT_FLOAT_EQ(1.0f / 127, rows.scales.data()[1]);
}

LACOS_ON_EVERY_KERNEL_SET(Outliers);

}  // namespace
}  // namespace lacos
