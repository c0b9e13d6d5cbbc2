// The whole encoder against plain double loops.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "reference_encoder.h"
#include "test_kernels.h"

namespace lacos {
namespace {

class Encoder : public EveryKernelSet {};

const Shape kShapes[] = {{32, 2, 4, 64, false},  {48, 1, 6, 20, true}, {36, 2, 12, 64, false},
                         {160, 1, 2, 64, false}, {7, 1, 1, 5, false},  {128, 2, 1, 64, false}};

void ExpectClose(const RandomModel& model, const ModelOptions& options, const ReferenceOptions& reference,
                 double largest, double mean) {
  Numbers numbers(77);
  Sentences sentences;
  std::vector<double> expected;
  for (const int length : {5, 1, 0, 19, 33, 66}) {
    const std::vector<int32_t> ids = RandomSentence(numbers, length, model.shape.vocabulary);
    sentences.Add(ids);
    const std::vector<double> rows = ReferenceTokens(model, ids, reference);
    expected.insert(expected.end(), rows.begin(), rows.end());
  }
  const ModelHandle handle = Create(model, options);
  ASSERT_NE(nullptr, handle);
  const std::vector<float> y = EncodeTokens(handle.get(), sentences, model.shape.hidden);
  ASSERT_EQ(expected.size(), y.size());
  double most = 0, scale = 0, total = 0;
  for (size_t i = 0; i < y.size(); i++) {
    const double error = std::fabs(expected[i] - y[i]);
    ASSERT_FALSE(std::isnan(error));
    most = std::max(most, error);
    scale = std::max(scale, std::fabs(expected[i]));
    total += error;
  }
  EXPECT_LE(most, largest * scale) << "hidden " << model.shape.hidden;
  EXPECT_LE(total / static_cast<double>(y.size()), mean * scale) << "hidden " << model.shape.hidden;
}

TEST_P(Encoder, Float32AgreesWithDouble) {
  for (const Shape& shape : kShapes) {
    ExpectClose(RandomModel(shape, LACOS_SCHEME_NONE, 1), {LACOS_COMPUTE_FLOAT32, 0, 2, GetParam()}, {}, 2e-5, 2e-6);
  }
}

TEST_P(Encoder, WeightOnlyAgreesWithDoubleOnEveryScheme) {
  for (const Shape& shape : kShapes) {
    for (const int scheme : {LACOS_SCHEME_NONE, LACOS_SCHEME_ROWWISE, LACOS_SCHEME_BLOCKWISE}) {
      ExpectClose(RandomModel(shape, scheme, 2), {LACOS_COMPUTE_WEIGHT_ONLY, 0, 2, GetParam()}, {}, 2e-5, 2e-6);
    }
  }
}

TEST_P(Encoder, Int8AgreesWithDoubleOverQuantisedRows) {
  // A code that lies on a tie may round the other way in fp32, which moves a token by up to a code's worth.
  for (const Shape& shape : kShapes) {
    ExpectClose(RandomModel(shape, LACOS_SCHEME_ROWWISE, 3), {LACOS_COMPUTE_INT8, 0, 2, GetParam()}, {true, 0}, 3e-2,
                1e-3);
  }
}

TEST_P(Encoder, MoreTokensThanGoThroughAtOnceAgreeToo) {
  const RandomModel model({32, 1, 4, 64, false}, LACOS_SCHEME_NONE, 4);
  const ModelHandle handle = Create(model, {LACOS_COMPUTE_FLOAT32, 0, 2, GetParam()});
  Numbers numbers(5);
  Sentences all;
  std::vector<std::vector<int32_t>> each;
  for (int i = 0; i < 60; i++) each.push_back(RandomSentence(numbers, numbers.Whole(0, 70), 64));
  each.push_back(RandomSentence(numbers, 1500, 64));
  for (const auto& ids : each) all.Add(ids);
  const std::vector<float> y = EncodeTokens(handle.get(), all, 32);
  for (size_t i = 0; i < each.size(); i += 15) {
    const std::vector<double> expected = ReferenceTokens(model, each[i], {});
    for (size_t j = 0; j < expected.size(); j++) {
      ASSERT_NEAR(expected[j], y[static_cast<size_t>(all.offsets[i]) * 32 + j], 1e-4) << i << " " << j;
    }
  }
}

// The first set that runs here whose row operations have the same lanes and sums, in the same order.
std::string TwinOf(const std::string& name) {
  const auto family = [](const std::string& set) {
    const std::string rows = SelectKernels(set.c_str()).vector->name;
    return rows == "vector_neon" ? "vector_avx2" : rows;
  };
  const std::vector<std::string> names = UsableKernels();
  return *std::find_if(names.begin(), names.end(), [&](const std::string& set) { return family(set) == family(name); });
}

TEST_P(Encoder, SetsWithTheSameLanesGiveTheSameBits) {
  Numbers numbers(6);
  Sentences sentences;
  for (const int length : {20, 1, 33, 7}) sentences.Add(RandomSentence(numbers, length, 64));
  for (const int compute : {LACOS_COMPUTE_INT8, LACOS_COMPUTE_WEIGHT_ONLY, LACOS_COMPUTE_FLOAT32}) {
    const int scheme = compute == LACOS_COMPUTE_FLOAT32 ? LACOS_SCHEME_NONE : LACOS_SCHEME_ROWWISE;
    const RandomModel model({160, 2, 4, 64, false}, scheme, 7);
    const auto vectors = [&](const std::string& set) {
      return EncodeTokens(Create(model, {compute, 0, 2, set}).get(), sentences, 160);
    };
    EXPECT_EQ(vectors(TwinOf(GetParam())), vectors(GetParam())) << TwinOf(GetParam()) << ", compute " << compute;
  }
}

LACOS_ON_EVERY_KERNEL_SET(Encoder);

}  // namespace
}  // namespace lacos
