// Pooling against the formulas of sentence-transformers, through the C call and alone.
#include "pooling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "random_model.h"

namespace lacos {
namespace {

const std::vector<float> kTokens = {1, -2, 3, 8, 5, 0};  // three tokens of two elements

std::vector<float> Pooled(int modes, int from = 0, int dimension = 0, bool normalize = false) {
  const int full = 2 * PoolingModeCount(modes);
  std::vector<float> buffer(full), y(dimension == 0 ? full : dimension, 99.0f);
  Pool({modes, 2, static_cast<int>(y.size()), normalize}, {kTokens.data(), 2}, 3, from, buffer.data(), y.data());
  return y;
}

TEST(Pooling, EachModeFollowsItsFormula) {
  EXPECT_EQ((std::vector<float>{1, -2}), Pooled(LACOS_POOL_FIRST));
  EXPECT_EQ((std::vector<float>{5, 8}), Pooled(LACOS_POOL_MAX));
  EXPECT_EQ((std::vector<float>{3, 2}), Pooled(LACOS_POOL_MEAN));
  EXPECT_EQ((std::vector<float>{9 / std::sqrt(3.0f), 6 / std::sqrt(3.0f)}), Pooled(LACOS_POOL_MEAN_SQRT));
  EXPECT_EQ((std::vector<float>{(1 + 6 + 15) / 6.0f, (-2 + 16) / 6.0f}), Pooled(LACOS_POOL_WEIGHTED_MEAN));
  EXPECT_EQ((std::vector<float>{5, 0}), Pooled(LACOS_POOL_LAST));
}

TEST(Pooling, SeveralModesAreConcatenatedInTheirOrder) {
  EXPECT_EQ((std::vector<float>{1, -2, 5, 8, 3, 2, 5, 0}),
            Pooled(LACOS_POOL_LAST | LACOS_POOL_MEAN | LACOS_POOL_FIRST | LACOS_POOL_MAX));
}

TEST(Pooling, LeftOutTokensKeepTheirPlaceInTheWeights) {
  EXPECT_EQ((std::vector<float>{4, 4}), Pooled(LACOS_POOL_MEAN, 1));
  EXPECT_EQ((std::vector<float>{3, 8}), Pooled(LACOS_POOL_FIRST, 1));
  EXPECT_EQ((std::vector<float>{(6 + 15) / 5.0f, 16 / 5.0f}), Pooled(LACOS_POOL_WEIGHTED_MEAN, 1));
  EXPECT_EQ((std::vector<float>{0, 0}), Pooled(LACOS_POOL_MAX, 3));
}

TEST(Pooling, RowsMayLieAnywhere) {
  const std::vector<float> prompt = {99, 99, 1, -2};
  const std::vector<float> rows = {99, 99, 5, 0, 99, 99, 3, 8};
  const std::vector<int32_t> at = {~1, 3, 1};
  for (int mode = LACOS_POOL_FIRST; mode <= LACOS_POOL_LAST; mode *= 2) {
    for (const int from : {0, 1, 3}) {
      std::vector<float> buffer(2), y(2);
      Pool({mode, 2, 2, false}, {rows.data(), 2, at.data(), prompt.data()}, 3, from, buffer.data(), y.data());
      EXPECT_EQ(Pooled(mode, from), y) << mode;
    }
  }
}

TEST(Pooling, DimensionsAreCutBeforeNormalising) {
  EXPECT_EQ((std::vector<float>{1}), Pooled(LACOS_POOL_MEAN, 0, 1, true));
  const std::vector<float> y = Pooled(LACOS_POOL_MEAN | LACOS_POOL_LAST, 0, 3, true);
  const float norm = std::sqrt(9.0f + 4.0f + 25.0f);
  EXPECT_FLOAT_EQ(3 / norm, y[0]);
  EXPECT_FLOAT_EQ(5 / norm, y[2]);
}

TEST(Pooling, TheLargestOfNegativeValuesIsNegative) {
  const std::vector<float> tokens = {-3, -1, -2, -5};  // two tokens of two elements
  std::vector<float> buffer(2), y(2);
  Pool({LACOS_POOL_MAX, 2, 2, false}, {tokens.data(), 2}, 2, 0, buffer.data(), y.data());
  EXPECT_EQ((std::vector<float>{-2, -1}), y);
}

TEST(Pooling, TinyVectorsAreNormalisedDownToTheFloorOfTheReference) {
  for (const float size : {1e-3f, 1e-11f, 1e-13f}) {
    const std::vector<float> token = {3 * size, -4 * size};
    std::vector<float> buffer(2), y(2);
    Pool({LACOS_POOL_MEAN, 2, 2, true}, {token.data(), 2}, 1, 0, buffer.data(), y.data());
    const float norm = std::max(5 * size, 1e-12f);
    EXPECT_FLOAT_EQ(token[0] / norm, y[0]);
    EXPECT_FLOAT_EQ(token[1] / norm, y[1]);
  }
}

TEST(Pooling, RowsWithoutPooledTokensAreZeroThroughTheCall) {
  const RandomModel model({16, 1, 2, 10, false}, LACOS_SCHEME_ROWWISE, 1);
  const ModelHandle handle = Create(model, {});
  const std::vector<int32_t> ids = {1, 2, 3, 4};
  const std::vector<int32_t> offsets = {0, 0, 2, 4, 4};
  const std::vector<int32_t> from = {0, 9, 1, 5};
  std::vector<float> y(4 * 16, 99.0f);
  ASSERT_EQ(LACOS_OK, lacos_encode(handle.get(), nullptr, ids.data(), 4, offsets.data(), 4, from.data(),
                                   LACOS_POOL_MEAN, 0, 1, y.data(), static_cast<int64_t>(y.size())));
  for (int i = 0; i < 64; i++) {
    if (i / 16 == 2) {
      EXPECT_NE(0.0f, y[i]);
    } else {
      EXPECT_EQ(0.0f, y[i]);
    }
  }
}

}  // namespace
}  // namespace lacos
