// A mapped file puts its tensors at any byte: numbers of a matrix are read wherever they lie.
#include <gtest/gtest.h>

#include <cstring>

#include "random_model.h"

namespace lacos {
namespace {

// The same matrix one byte beside where its numbers would lie.
struct Shifted {
  std::vector<char> memory;

  template <class T>
  const T* Take(const T* values, size_t count) {
    const size_t at = memory.size() % sizeof(T) == 0 ? memory.size() + 1 : memory.size();
    memory.resize(at + count * sizeof(T));
    std::memcpy(memory.data() + at, values, count * sizeof(T));
    return reinterpret_cast<const T*>(memory.data() + at);
  }
};

TEST(MisalignedPointers, NumbersOfAMatrixMayLieAtAnyByte) {
  const Shape shape{20, 1, 2, 30, false};
  Sentences s;
  s.Add({1, 2, 3, 29});
  for (const int scheme : {LACOS_SCHEME_NONE, LACOS_SCHEME_ROWWISE, LACOS_SCHEME_BLOCKWISE}) {
    const RandomModel model(shape, scheme, 5);
    const lacos_model_config config = Config(shape, {LACOS_COMPUTE_WEIGHT_ONLY, 0, 1, ""});
    const ModelHandle expected = Create(model, {LACOS_COMPUTE_WEIGHT_ONLY, 0, 1, ""});
    std::vector<Shifted> memory(64);
    size_t used = 0;
    const auto shift = [&](lacos_matrix matrix) {
      const size_t n = static_cast<size_t>(matrix.rows) * matrix.columns;
      if (scheme == LACOS_SCHEME_NONE) matrix.data = memory[used++].Take(static_cast<const float*>(matrix.data), n);
      if (matrix.scale_count > 0) {
        matrix.scales = memory[used++].Take(matrix.scales, static_cast<size_t>(matrix.scale_count));
      }
      if (matrix.code_book != nullptr) matrix.code_book = memory[used++].Take(matrix.code_book, 256);
      return matrix;
    };
    const auto norm = [&](const RandomNorm& from) {
      const size_t n = from.weight.size();
      const float* weight = memory[used++].Take(from.weight.data(), n);
      return lacos_layer_norm{weight, memory[used++].Take(from.bias.data(), n)};
    };
    const auto linear = [&](const RandomLinear& from) {
      return lacos_linear{shift(from.weight.View()), memory[used++].Take(from.bias.data(), from.bias.size())};
    };
    const RandomBlock& b = model.blocks[0];
    const lacos_block block = {norm(b.input_norm), linear(b.query_key_value),
                               linear(b.dense),    norm(b.post_norm),
                               linear(b.up),       linear(b.down)};
    const lacos_matrix embeddings = shift(model.embeddings.View());
    const lacos_layer_norm first = norm(model.embeddings_norm), last = norm(model.final_norm);
    lacos_model* handle = nullptr;
    ASSERT_EQ(LACOS_OK, lacos_model_create(&config, &embeddings, &first, &block, &last, &handle)) << lacos_last_error();
    const ModelHandle owned(handle);
    EXPECT_EQ(EncodeTokens(expected.get(), s, shape.hidden), EncodeTokens(handle, s, shape.hidden)) << scheme;
  }
}

}  // namespace
}  // namespace lacos
