// What comes from outside is checked: every bad argument is a status and a message that names the value.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "random_model.h"

namespace lacos {
namespace {

class EncoderErrors : public testing::Test {
 protected:
  EncoderErrors() : model_({16, 1, 2, 10, false}, LACOS_SCHEME_ROWWISE, 1) {
    const RandomBlock& b = model_.blocks[0];
    block_ = {b.input_norm.View(), b.query_key_value.View(), b.dense.View(), b.post_norm.View(), b.up.View(),
              b.down.View()};
    config_ = Config(model_.shape, {});
    embeddings_ = model_.embeddings.View();
    first_ = model_.embeddings_norm.View();
    last_ = model_.final_norm.View();
  }

  void ExpectRefused(const std::string& part, lacos_status status = LACOS_INVALID_ARGUMENT) {
    lacos_model* model = reinterpret_cast<lacos_model*>(this);
    EXPECT_EQ(status, lacos_model_create(&config_, &embeddings_, &first_, &block_, &last_, &model));
    EXPECT_EQ(nullptr, model);
    EXPECT_NE(std::string::npos, std::string(lacos_last_error()).find(part)) << lacos_last_error();
  }

  RandomModel model_;
  lacos_model_config config_{};
  lacos_matrix embeddings_{};
  lacos_layer_norm first_{}, last_{};
  lacos_block block_{};
};

TEST_F(EncoderErrors, HeadsThatDoNotDivideTheHiddenSize) {
  config_.head_count = 3;
  ExpectRefused("hidden_size 16");
}

TEST_F(EncoderErrors, SizesOutOfRange) {
  config_.hidden_size = 0;
  ExpectRefused("hidden_size is 0");
  config_.hidden_size = 1 << 30;
  ExpectRefused("hidden_size is 1073741824");
  config_ = Config(model_.shape, {});
  config_.layer_count = -1;
  ExpectRefused("layer_count is -1");
  config_ = Config(model_.shape, {});
  config_.thread_count = 100000;
  ExpectRefused("thread_count is 100000");
  config_ = Config(model_.shape, {});
  config_.layer_norm_epsilon = NAN;
  ExpectRefused("layer_norm_epsilon is nan");
  config_ = Config(model_.shape, {});
  config_.outlier_threshold = -1;
  ExpectRefused("outlier_threshold is -1");
  config_ = Config(model_.shape, {});
  config_.struct_size = 4;
  ExpectRefused("struct_size is 4");
}

TEST_F(EncoderErrors, MatricesOfAnotherShapeAreNamed) {
  block_.dense.weight.rows = 15;
  ExpectRefused("h.0.self_attention.dense is 15 x 16");
}

TEST_F(EncoderErrors, MissingOrBrokenParts) {
  block_.dense_h_to_4h.weight.data = nullptr;
  ExpectRefused("h.0.mlp.dense_h_to_4h has no data");
  block_.dense_h_to_4h.weight = model_.blocks[0].up.weight.View();
  block_.dense_h_to_4h.bias = nullptr;
  ExpectRefused("h.0.mlp.dense_h_to_4h is null");
  block_.dense_h_to_4h.bias = model_.blocks[0].up.bias.data();
  model_.blocks[0].down.weight.scales[2] = INFINITY;
  ExpectRefused("inf at index 2");
  model_.blocks[0].down.weight.scales[2] = 1;
  block_.query_key_value.weight.scale_count = 5;
  ExpectRefused("5 scales");
  block_.query_key_value.weight.scale_count = 48;
  block_.query_key_value.weight.scheme = 7;
  ExpectRefused("scheme 7");
}

TEST_F(EncoderErrors, Int8NeedsRowwiseWeightsAndFloat32NeedsFloats) {
  const RandomModel floats({16, 1, 2, 10, false}, LACOS_SCHEME_NONE, 1);
  block_.query_key_value = floats.blocks[0].query_key_value.View();
  ExpectRefused("row-wise");
  block_.query_key_value = model_.blocks[0].query_key_value.View();
  config_.compute = LACOS_COMPUTE_FLOAT32;
  ExpectRefused("fp32 arithmetic needs fp32 weights");
}

TEST_F(EncoderErrors, NullPointersAreRefused) {
  lacos_model* model = nullptr;
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_model_create(nullptr, &embeddings_, &first_, &block_, &last_, &model));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_model_create(&config_, &embeddings_, &first_, nullptr, &last_, &model));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_model_create(&config_, &embeddings_, &first_, &block_, &last_, nullptr));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_encode_tokens(nullptr, nullptr, 0, nullptr, 0, nullptr, 0));
  lacos_model_destroy(nullptr);
}

TEST_F(EncoderErrors, TokensAndOffsetsAreChecked) {
  const ModelHandle handle = Create(model_, {});
  std::vector<float> y(32);
  const auto encode = [&](std::vector<int32_t> ids, std::vector<int32_t> offsets, int64_t length = 32, int pooling = 4,
                          int dimension = 0) {
    return lacos_encode(handle.get(), nullptr, ids.data(), static_cast<int64_t>(ids.size()), offsets.data(),
                        static_cast<int64_t>(offsets.size()) - 1, nullptr, pooling, dimension, 0, y.data(), length);
  };
  EXPECT_EQ(LACOS_OK, encode({1, 2, 9}, {0, 1, 3}));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, encode({1, 2, 10}, {0, 1, 3}));
  EXPECT_NE(std::string::npos, std::string(lacos_last_error()).find("token_ids[2] is 10")) << lacos_last_error();
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, encode({1, -1, 3}, {0, 1, 3}));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, encode({1, 2, 3}, {0, 4, 3}));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, encode({1, 2, 3}, {1, 2, 3}));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, encode({1, 2, 3}, {0, 1, 2}));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, encode({1, 2, 3}, {0, 1, 3}, 31));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, encode({1, 2, 3}, {0, 1, 3}, 32, 0));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, encode({1, 2, 3}, {0, 1, 3}, 32, 64));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, encode({1, 2, 3}, {0, 1, 3}, 34, 4, 17));
  EXPECT_EQ(LACOS_OK, encode({1, 2, 3}, {0, 1, 3}, 6, 4, 3));
  EXPECT_EQ(LACOS_OK, encode({}, {0}, 0));
}

TEST_F(EncoderErrors, CodesOfMinus128AndNotANumberActivationsDoNotCrash) {
  for (RandomBlock& block : model_.blocks) {
    std::fill(block.up.weight.codes.begin(), block.up.weight.codes.end(), static_cast<int8_t>(-128));
    std::fill(block.up.weight.scales.begin(), block.up.weight.scales.end(), 3e38f);
  }
  for (const float threshold : {0.0f, 6.0f}) {
    const ModelHandle handle = Create(model_, {LACOS_COMPUTE_INT8, threshold, 2, ""});
    Sentences s;
    s.Add({1, 2, 3, 4, 5});
    EXPECT_EQ(80u, EncodeTokens(handle.get(), s, 16).size());
  }
}

}  // namespace
}  // namespace lacos
