// What goes back must fit what went forward.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "random_model.h"

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
    const RandomBlock& b = model_.blocks[0];
    const lacos_block block = {
        b.input_norm.View(), b.query_key_value.View(), b.dense.View(), b.post_norm.View(), b.up.View(), b.down.View()};
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

TEST_F(LoraErrors, MoreRowsThanALoopCanCount) {
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, Forward(Adapters(4), int64_t{1} << 30, 0, nullptr));
  EXPECT_NE(std::string::npos, std::string(lacos_last_error()).find("with 2 heads")) << lacos_last_error();
}

}  // namespace
}  // namespace lacos
