// What goes back must fit what went forward.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "random_lora.h"

namespace lacos {
namespace {

constexpr int kHidden = 16;
constexpr int kTokens = 5;
constexpr int kLinears = 4;
constexpr int kMostRank = 8;

class LoraErrors : public testing::Test {
 protected:
  LoraErrors() : model_({kHidden, 1, 2, 10, false}, LACOS_SCHEME_ROWWISE, 1) {
    const lacos_model_config config = Config(model_.shape, {});
    const lacos_matrix embeddings = model_.embeddings.View();
    const lacos_layer_norm first = model_.embeddings_norm.View(), last = model_.final_norm.View();
    EXPECT_EQ(LACOS_OK, lacos_lora_create(&config, &embeddings, &first, &last, &lora_)) << lacos_last_error();
    const lacos_block block = ViewOf(model_.blocks[0]);
    EXPECT_EQ(LACOS_OK, lacos_lora_add_block(lora_, &block)) << lacos_last_error();
  }
  ~LoraErrors() override { lacos_lora_destroy(lora_); }

  std::vector<lacos_adapter> Adapters(int rank) const {
    return std::vector<lacos_adapter>(kLinears, {rank, 1.0f, matrix_.data(), matrix_.data()});
  }

  lacos_status Forward(const std::vector<lacos_adapter>& adapters, int64_t row_count, int64_t activations,
                       lacos_lora_tape** tape) {
    const std::vector<int32_t> ids(kTokens, 1), offsets = {0, kTokens};
    const std::vector<int64_t> keys = {1};
    const lacos_training_rows rows = {ids.data(), kTokens, offsets.data(), row_count, keys.data(), 1, 0};
    std::vector<float> states(kTokens * kHidden);
    return lacos_lora_forward(lora_, &rows, adapters.data(), activations, tape, states.data(),
                              static_cast<int64_t>(states.size()));
  }

  RandomModel model_;
  lacos_lora* lora_ = nullptr;
  const std::vector<float> matrix_ = std::vector<float>(4 * kHidden * kMostRank, 0.01f);
};

TEST_F(LoraErrors, RanksOfAnotherForwardPass) {
  for (const int forward : {0, 4, kMostRank}) {
    for (const int backward : {0, 4, kMostRank}) {
      for (const int64_t activations : {int64_t{0}, int64_t{1} << 30}) {
        lacos_lora_tape* tape = nullptr;
        ASSERT_EQ(LACOS_OK, Forward(Adapters(forward), 1, activations, &tape)) << lacos_last_error();
        const std::vector<float> gradient(kTokens * kHidden, 1.0f);
        std::vector<float> place(matrix_.size());
        const std::vector<lacos_adapter_gradient> gradients(kLinears, {place.data(), place.data()});
        const std::vector<lacos_adapter> adapters = Adapters(backward);
        const lacos_status status = lacos_lora_backward(lora_, tape, adapters.data(), gradient.data(),
                                                        static_cast<int64_t>(gradient.size()), gradients.data());
        lacos_lora_tape_destroy(tape);
        ASSERT_EQ(forward == backward ? LACOS_OK : LACOS_INVALID_ARGUMENT, status);
        if (status != LACOS_OK) {
          EXPECT_NE(std::string::npos, std::string(lacos_last_error()).find("adapters[0].rank is"))
              << lacos_last_error();
        }
      }
    }
  }
}

TEST_F(LoraErrors, WhatIsMissingOrDoesNotFitIsRefusedByName) {
  const std::vector<int32_t> ids(kTokens, 1), offsets = {0, kTokens};
  const std::vector<int64_t> keys = {1};
  const lacos_training_rows right = {ids.data(), kTokens, offsets.data(), 1, keys.data(), 1, 0};
  const std::vector<lacos_adapter> adapters = Adapters(4);
  std::vector<float> states(kTokens * kHidden);
  const int64_t length = kTokens * kHidden;
  lacos_lora_tape* tape = nullptr;
  const auto ExpectRefused = [&](lacos_status status, const std::string& part) {
    EXPECT_EQ(LACOS_INVALID_ARGUMENT, status) << part;
    EXPECT_NE(std::string::npos, std::string(lacos_last_error()).find(part)) << lacos_last_error();
  };
  const auto forward = [&](const lacos_training_rows& rows, const lacos_adapter* of, int64_t bytes, float* to,
                           int64_t size) {
    tape = reinterpret_cast<lacos_lora_tape*>(this);
    const lacos_status status = lacos_lora_forward(lora_, &rows, of, bytes, &tape, to, size);
    EXPECT_EQ(status == LACOS_OK, tape != nullptr);
    return status;
  };
  ExpectRefused(lacos_lora_forward(nullptr, &right, adapters.data(), 0, &tape, states.data(), length), "lora is null");
  ExpectRefused(lacos_lora_forward(lora_, nullptr, adapters.data(), 0, &tape, states.data(), length), "rows is null");
  ExpectRefused(forward(right, nullptr, 0, states.data(), length), "adapters is null");
  ExpectRefused(forward(right, adapters.data(), -1, states.data(), length), "activation_bytes is -1");
  ExpectRefused(forward(right, adapters.data(), 0, nullptr, length), "hidden_states is null");
  ExpectRefused(forward(right, adapters.data(), 0, states.data(), length - 1), "hidden_states_length is 79");
  lacos_training_rows rows = right;
  rows.row_keys = nullptr;
  ExpectRefused(forward(rows, adapters.data(), 0, states.data(), length), "row_keys is null");
  rows = right;
  rows.token_count = INT64_MAX;
  ExpectRefused(forward(rows, adapters.data(), 0, states.data(), length), "token_count is 9223372036854775807");
  rows.token_count = rows.row_count = 0;
  ExpectRefused(forward(rows, adapters.data(), 0, states.data(), 0), "no token");
  std::vector<lacos_adapter> wrong = adapters;
  wrong[2].rank = -1;
  ExpectRefused(forward(right, wrong.data(), 0, states.data(), length), "adapters[2].rank is -1");
  wrong[2] = {4, 1.0f, nullptr, matrix_.data()};
  ExpectRefused(forward(right, wrong.data(), 0, states.data(), length), "adapters[2] has rank 4 but no A");

  ASSERT_EQ(LACOS_OK, forward(right, adapters.data(), 0, states.data(), length)) << lacos_last_error();
  std::vector<float> place(matrix_.size());
  std::vector<lacos_adapter_gradient> gradients(kLinears, {place.data(), place.data()});
  const auto backward = [&](lacos_lora_tape* of, const lacos_adapter* with, int64_t size) {
    return lacos_lora_backward(lora_, of, with, states.data(), size, gradients.data());
  };
  ExpectRefused(backward(nullptr, adapters.data(), length), "tape is null");
  ExpectRefused(backward(tape, nullptr, length), "adapters is null");
  ExpectRefused(backward(tape, adapters.data(), length + 1), "gradient_length is 81");
  ExpectRefused(lacos_lora_backward(lora_, tape, adapters.data(), nullptr, length, gradients.data()),
                "gradient is null");
  ExpectRefused(lacos_lora_backward(lora_, tape, adapters.data(), states.data(), length, nullptr), "gradients is null");
  gradients[3].b = nullptr;
  ExpectRefused(backward(tape, adapters.data(), length), "gradients[3] has no place");
  lacos_lora_tape_destroy(tape);
}

TEST_F(LoraErrors, BlocksAreAllThereBeforeTheFirstPassAndNoMore) {
  const lacos_block block = ViewOf(model_.blocks[0]);
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_lora_add_block(lora_, &block));
  EXPECT_NE(std::string::npos, std::string(lacos_last_error()).find("1 blocks already")) << lacos_last_error();
  lacos_lora_tape* tape = nullptr;
  ASSERT_EQ(LACOS_OK, Forward(Adapters(1), 1, 0, &tape));
  lacos_lora* other = nullptr;
  const lacos_model_config config = Config(model_.shape, {});
  const lacos_matrix embeddings = model_.embeddings.View();
  const lacos_layer_norm norm = model_.embeddings_norm.View();
  ASSERT_EQ(LACOS_OK, lacos_lora_create(&config, &embeddings, &norm, &norm, &other));
  std::swap(lora_, other);
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, Forward(Adapters(1), 1, 0, nullptr));
  EXPECT_NE(std::string::npos, std::string(lacos_last_error()).find("Blocks are missing")) << lacos_last_error();
  std::vector<float> states(kTokens * kHidden), place(matrix_.size());
  const std::vector<lacos_adapter_gradient> gradients(kLinears, {place.data(), place.data()});
  const lacos_status status = lacos_lora_backward(lora_, tape, Adapters(1).data(), states.data(),
                                                  static_cast<int64_t>(states.size()), gradients.data());
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, status);
  EXPECT_NE(std::string::npos, std::string(lacos_last_error()).find("another model")) << lacos_last_error();
  std::swap(lora_, other);
  lacos_lora_destroy(other);
  lacos_lora_tape_destroy(tape);
}

TEST_F(LoraErrors, NoTapeTakesNothing) {
  int32_t kept = 7;
  EXPECT_EQ(0, lacos_lora_tape_memory(nullptr, &kept));
  EXPECT_EQ(0, kept);
  lacos_lora_tape_destroy(nullptr);
  lacos_lora_destroy(nullptr);
}

TEST_F(LoraErrors, MoreRowsThanALoopCanCount) {
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, Forward(Adapters(4), int64_t{1} << 30, 0, nullptr));
  EXPECT_NE(std::string::npos, std::string(lacos_last_error()).find("with 2 heads")) << lacos_last_error();
}

}  // namespace
}  // namespace lacos
