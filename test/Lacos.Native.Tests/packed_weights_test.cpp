// Linear layers whose codes lie in panels already: used in place where they fit, and the same bits wherever they lie.
#include <gtest/gtest.h>

#include <cstring>

#include "linear.h"
#include "random_model.h"
#include "status.h"
#include "test_kernels.h"
#include "weight_view.h"

namespace lacos {
namespace {

lacos_panels PanelsOf(const std::string& name) {
  for (int i = 0; i < lacos_kernel_count(); i++) {
    lacos_kernel_info info{};
    EXPECT_EQ(LACOS_OK, lacos_kernel_get(i, &info));
    if (name == info.name) return info.panels;
  }
  return {};
}

class PackedWeights : public EveryKernelSet {
 protected:
  // A width that fills neither the last panel nor the last group.
  static constexpr Shape kShape{54, 2, 3, 40, false};

  static Sentences SomeSentences() {
    Numbers numbers(2);
    Sentences sentences;
    for (const int length : {1, 7, 30, 64, 3}) sentences.Add(RandomSentence(numbers, length, kShape.vocabulary));
    return sentences;
  }

  static RandomModel Rows() { return RandomModel(kShape, LACOS_SCHEME_ROWWISE, 5); }

  static RandomModel Packed(const lacos_panels& panels, size_t shift, uint8_t padding) {
    RandomModel model = Rows();
    model.PackLinears(panels, shift, padding);
    return model;
  }

  std::vector<float> Vectors(const lacos_model* model) const {
    return Encode(model, SomeSentences(), kShape.hidden, LACOS_POOL_MEAN);
  }
};

TEST_P(PackedWeights, OfThisKernelAreUsedInPlace) {
  const RandomModel rows = Rows();
  const ModelHandle expected = Create(rows, {LACOS_COMPUTE_INT8, 0, 2, GetParam()});
  for (const uint8_t padding : {0, 85, 128, 255}) {
    const RandomModel packed = Packed(PanelsOf(GetParam()), 0, padding);
    const ModelHandle model = Create(packed, {LACOS_COMPUTE_INT8, 0, 2, GetParam()});
    EXPECT_EQ(Vectors(expected.get()), Vectors(model.get())) << "padding " << static_cast<int>(padding);
    const int64_t weights = int64_t{12} * kShape.hidden * kShape.hidden * kShape.layers;
    EXPECT_LT(lacos_model_memory(model.get()), lacos_model_memory(expected.get()) - weights);
  }
}

TEST_P(PackedWeights, OfOtherKernelsAndAtOddAddressesAreTheSame) {
  const RandomModel rows = Rows();
  const std::vector<float> expected = Vectors(Create(rows, {LACOS_COMPUTE_INT8, 0, 1, GetParam()}).get());
  for (const lacos_panels panels :
       {PanelsOf(GetParam()), lacos_panels{64, 4, 128}, {16, 1, 0}, {7, 3, 0}, {1, 64, 128}}) {
    const RandomModel packed = Packed(panels, 1, 77);
    EXPECT_EQ(expected, Vectors(Create(packed, {LACOS_COMPUTE_INT8, 0, 1, GetParam()}).get()))
        << panels.columns << " x " << panels.group;
  }
}

TEST_P(PackedWeights, WithOutliersAndDequantisedAreTheSame) {
  const RandomModel rows = Rows();
  const RandomModel packed = Packed(PanelsOf(GetParam()), 0, 9);
  for (const ModelOptions& options : {ModelOptions{LACOS_COMPUTE_INT8, 1.5f, 2, GetParam()},
                                      ModelOptions{LACOS_COMPUTE_WEIGHT_ONLY, 0, 2, GetParam()}}) {
    EXPECT_EQ(Vectors(Create(rows, options).get()), Vectors(Create(packed, options).get())) << options.compute;
  }
}

LACOS_ON_EVERY_KERNEL_SET(PackedWeights);

TEST(PackedWeightsErrors, PanelsThatCannotBeAreRefused) {
  Numbers numbers(1);
  RandomMatrix matrix(numbers, 8, 8, LACOS_SCHEME_ROWWISE, 1.0f);
  lacos_matrix view = matrix.View();
  for (const lacos_panels panels :
       {lacos_panels{-1, 4, 0}, {16, 0, 0}, {16, -4, 0}, {16, 65, 0}, {5000, 4, 0}, {16, 4, 1}}) {
    view.panels = panels;
    try {
      const WeightView refused(view, 8, 8, "dense", 3);
      FAIL() << panels.columns << " x " << panels.group;
    } catch (const Error& error) {
      EXPECT_EQ(LACOS_INVALID_ARGUMENT, error.status);
      EXPECT_NE(nullptr, std::strstr(error.message, "h.3.dense"));
    }
  }
  const RandomMatrix floats(numbers, 8, 8, LACOS_SCHEME_NONE, 1.0f);
  view = floats.View();
  view.panels = {16, 4, 0};
  EXPECT_THROW(WeightView(view, 8, 8, "dense", 3), Error);
}

}  // namespace
}  // namespace lacos
