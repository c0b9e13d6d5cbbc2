// A training model of random weights, its adapters, and its two passes, behind the C functions.
#ifndef LACOS_TEST_RANDOM_LORA_H_
#define LACOS_TEST_RANDOM_LORA_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "random_model.h"

namespace lacos {

struct LoraDeleter {
  void operator()(lacos_lora* lora) const { lacos_lora_destroy(lora); }
  void operator()(lacos_lora_tape* tape) const { lacos_lora_tape_destroy(tape); }
};
using LoraHandle = std::unique_ptr<lacos_lora, LoraDeleter>;
using TapeHandle = std::unique_ptr<lacos_lora_tape, LoraDeleter>;

constexpr int kLinearsOfBlock = 4;

inline lacos_block ViewOf(const RandomBlock& b) {
  return {b.input_norm.View(), b.query_key_value.View(), b.dense.View(), b.post_norm.View(), b.up.View(),
          b.down.View()};
}

// Fails the test where the library refuses.
inline LoraHandle CreateLora(const RandomModel& model, int threads, const std::string& isa = {}) {
  const ModelOptions options{LACOS_COMPUTE_INT8, 0, threads, isa};
  const lacos_model_config config = Config(model.shape, options);
  const lacos_matrix embeddings = model.embeddings.View();
  const lacos_layer_norm first = model.embeddings_norm.View(), last = model.final_norm.View();
  lacos_lora* lora = nullptr;
  EXPECT_EQ(LACOS_OK, lacos_lora_create(&config, &embeddings, &first, &last, &lora)) << lacos_last_error();
  for (const RandomBlock& b : model.blocks) {
    const lacos_block block = ViewOf(b);
    EXPECT_EQ(LACOS_OK, lacos_lora_add_block(lora, &block)) << lacos_last_error();
  }
  return LoraHandle(lora);
}

inline int InputsOf(const Shape& shape, int linear) { return shape.hidden * (linear == 3 ? 4 : 1); }
inline int OutputsOf(const Shape& shape, int linear) { return shape.hidden * (linear == 0 ? 3 : linear == 2 ? 4 : 1); }

struct RandomAdapters {
  std::vector<std::vector<float>> a, b;
  std::vector<lacos_adapter> views;

  // ranks: of the layers of each block, over and over.
  RandomAdapters(Numbers& numbers, const Shape& shape, const std::vector<int>& ranks) {
    for (int i = 0; i < shape.layers * kLinearsOfBlock; i++) {
      const int rank = ranks[static_cast<size_t>(i) % ranks.size()], linear = i % kLinearsOfBlock;
      a.push_back(numbers.Normals(static_cast<size_t>(rank) * InputsOf(shape, linear), 0.2f));
      b.push_back(numbers.Normals(static_cast<size_t>(rank) * OutputsOf(shape, linear), 0.2f));
    }
    for (size_t i = 0; i < a.size(); i++) {
      const int rank = ranks[i % ranks.size()];
      views.push_back({rank, 0.5f, rank == 0 ? nullptr : a[i].data(), rank == 0 ? nullptr : b[i].data()});
    }
  }
};

struct Training {
  std::vector<float> states;
  std::vector<std::vector<float>> gradients;  // of A, then of B, layer by layer
  int kept_blocks = 0;
};

struct Dropping {
  uint64_t key = 0;
  uint32_t threshold = 0;
  std::vector<int64_t> row_keys;  // empty: the rows' numbers
};

struct Rows {
  std::vector<int64_t> keys;
  lacos_training_rows view;

  Rows(const Sentences& s, const Dropping& dropping) : keys(dropping.row_keys) {
    for (int64_t i = static_cast<int64_t>(keys.size()); i < s.rows(); i++) keys.push_back(i);
    view = {
        s.ids.data(),      static_cast<int64_t>(s.ids.size()), s.offsets.data(), s.rows(), keys.data(), dropping.key,
        dropping.threshold};
  }
};

inline TapeHandle Forward(lacos_lora* lora, const Shape& shape, const RandomAdapters& adapters, const Sentences& s,
                          int64_t activation_bytes, const Dropping& dropping, std::vector<float>& states) {
  const Rows rows(s, dropping);
  states.assign(s.ids.size() * shape.hidden, -1.0f);
  lacos_lora_tape* tape = nullptr;
  EXPECT_EQ(LACOS_OK, lacos_lora_forward(lora, &rows.view, adapters.views.data(), activation_bytes, &tape,
                                         states.data(), static_cast<int64_t>(states.size())))
      << lacos_last_error();
  return TapeHandle(tape);
}

inline std::vector<std::vector<float>> Backward(lacos_lora* lora, lacos_lora_tape* tape, const RandomAdapters& adapters,
                                                const std::vector<float>& gradient) {
  std::vector<std::vector<float>> places;
  std::vector<lacos_adapter_gradient> views;
  for (size_t i = 0; i < adapters.a.size(); i++) {
    places.emplace_back(adapters.a[i].size() + 1, 77.0f);
    places.emplace_back(adapters.b[i].size() + 1, 77.0f);
    views.push_back({places[2 * i].data(), places[2 * i + 1].data()});
  }
  EXPECT_EQ(LACOS_OK, lacos_lora_backward(lora, tape, adapters.views.data(), gradient.data(),
                                          static_cast<int64_t>(gradient.size()), views.data()))
      << lacos_last_error();
  for (std::vector<float>& place : places) {
    EXPECT_EQ(77.0f, place.back()) << "written past the end";
    place.pop_back();
    for (const float value : place) EXPECT_NE(77.0f, value) << "not written";
  }
  return places;
}

// Both passes. gradient: of the states.
inline Training Train(lacos_lora* lora, const Shape& shape, const RandomAdapters& adapters, const Sentences& s,
                      const std::vector<float>& gradient, int64_t activation_bytes, const Dropping& dropping = {}) {
  Training training;
  const TapeHandle tape = Forward(lora, shape, adapters, s, activation_bytes, dropping, training.states);
  int32_t kept = -1;
  EXPECT_GT(lacos_lora_tape_memory(tape.get(), &kept), 0);
  training.kept_blocks = kept;
  training.gradients = Backward(lora, tape.get(), adapters, gradient);
  return training;
}

}  // namespace lacos

#endif  // LACOS_TEST_RANDOM_LORA_H_
