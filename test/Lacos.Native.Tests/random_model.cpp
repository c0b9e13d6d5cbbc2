#include "random_model.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lacos {

RandomMatrix::RandomMatrix(Numbers& numbers, int r, int c, int s, float deviation) : rows(r), columns(c), scheme(s) {
  const size_t n = static_cast<size_t>(rows) * columns;
  switch (scheme) {
    case LACOS_SCHEME_NONE:
      floats = numbers.Normals(n, deviation);
      break;
    case LACOS_SCHEME_ROWWISE:
      codes = numbers.Codes(n);
      for (int i = 0; i < rows; i++) scales.push_back(deviation * numbers.Uniform(1.0f, 2.5f));
      break;
    default:
      block_size = 96;  // rows begin inside blocks
      for (size_t i = 0; i < n; i++) blocks.push_back(static_cast<uint8_t>(numbers.Whole(0, 255)));
      for (size_t i = 0; i < (n + block_size - 1) / block_size; i++) {
        scales.push_back(deviation * numbers.Uniform(1.0f, 2.5f));
      }
      for (int i = 0; i < 256; i++) book.push_back(static_cast<float>(i - 127) / 128.0f);
  }
}

lacos_matrix RandomMatrix::View() const {
  lacos_matrix view{};
  view.scheme = scheme;
  view.rows = rows;
  view.columns = columns;
  view.block_size = block_size;
  view.data = scheme == LACOS_SCHEME_NONE      ? static_cast<const void*>(floats.data())
              : scheme == LACOS_SCHEME_ROWWISE ? static_cast<const void*>(codes.data())
                                               : static_cast<const void*>(blocks.data());
  view.scales = scales.data();
  view.scale_count = static_cast<int64_t>(scales.size());
  view.code_book = book.empty() ? nullptr : book.data();
  view.panels = panels;
  if (panels.columns > 0) view.data = packed.data() + packed_at;
  return view;
}

void RandomMatrix::Pack(const lacos_panels& layout, size_t shift, uint8_t padding) {
  const size_t groups = (static_cast<size_t>(columns) + layout.group - 1) / layout.group;
  const size_t panel_bytes = groups * layout.columns * layout.group;
  const size_t count = (static_cast<size_t>(rows) + layout.columns - 1) / layout.columns;
  panels = layout;
  packed.assign(panel_bytes * count + shift + 64, padding);
  packed_at = (64 - reinterpret_cast<uintptr_t>(packed.data()) % 64) % 64 + shift;
  for (int row = 0; row < rows; row++) {
    for (int column = 0; column < columns; column++) {
      const size_t group = static_cast<size_t>(column / layout.group) * layout.columns + row % layout.columns;
      const size_t at = panel_bytes * (row / layout.columns) + group * layout.group + column % layout.group;
      packed[packed_at + at] = static_cast<uint8_t>(codes[static_cast<size_t>(row) * columns + column] ^ layout.flip);
    }
  }
  codes.clear();
}

void RandomModel::PackLinears(const lacos_panels& layout, size_t shift, uint8_t padding) {
  for (RandomBlock& block : blocks) {
    for (RandomLinear* linear : {&block.query_key_value, &block.dense, &block.up, &block.down}) {
      linear->weight.Pack(layout, shift, padding);
    }
  }
}

double RandomMatrix::At(int row, int column) const {
  const size_t at = static_cast<size_t>(row) * columns + column;
  if (scheme == LACOS_SCHEME_NONE) return floats[at];
  if (scheme == LACOS_SCHEME_ROWWISE) return codes[at] * static_cast<double>(scales[row]) / 127;
  return static_cast<double>(book[blocks[at]]) * scales[at / block_size];
}

RandomModel::RandomModel(const Shape& s, int scheme, uint32_t seed) : shape(s) {
  Numbers numbers(seed);
  const int h = shape.hidden;
  const auto norm = [&] {
    RandomNorm n{numbers.Normals(h, 0.2f), numbers.Normals(h, 0.2f)};
    for (float& weight : n.weight) weight += 1.0f;
    return n;
  };
  const auto linear = [&](int rows, int columns) {
    return RandomLinear{RandomMatrix(numbers, rows, columns, scheme, 0.6f / std::sqrt(static_cast<float>(columns))),
                        numbers.Normals(rows, 0.1f)};
  };
  embeddings = RandomMatrix(numbers, shape.vocabulary, h, scheme, 0.5f);
  embeddings_norm = norm();
  for (int i = 0; i < shape.layers; i++) {
    RandomBlock block;
    block.input_norm = norm();
    block.query_key_value = linear(3 * h, h);
    block.dense = linear(h, h);
    block.post_norm = norm();
    block.up = linear(4 * h, h);
    block.down = linear(h, 4 * h);
    blocks.push_back(std::move(block));
  }
  final_norm = norm();
}

lacos_model_config Config(const Shape& shape, const ModelOptions& options) {
  lacos_model_config config{};
  config.struct_size = sizeof config;
  config.hidden_size = shape.hidden;
  config.layer_count = shape.layers;
  config.head_count = shape.heads;
  config.vocabulary_size = shape.vocabulary;
  config.residual_post_layer_norm = shape.post_norm_residual;
  config.layer_norm_epsilon = 1e-5f;
  config.compute = options.compute;
  config.outlier_threshold = options.outlier_threshold;
  config.thread_count = options.threads;
  config.isa = options.isa.empty() ? nullptr : options.isa.c_str();
  return config;
}

ModelHandle Create(const RandomModel& model, const ModelOptions& options) {
  std::vector<lacos_block> blocks;
  for (const RandomBlock& b : model.blocks) {
    blocks.push_back({b.input_norm.View(), b.query_key_value.View(), b.dense.View(), b.post_norm.View(), b.up.View(),
                      b.down.View()});
  }
  const lacos_model_config config = Config(model.shape, options);
  const lacos_matrix embeddings = model.embeddings.View();
  const lacos_layer_norm first = model.embeddings_norm.View();
  const lacos_layer_norm last = model.final_norm.View();
  lacos_model* handle = nullptr;
  EXPECT_EQ(LACOS_OK, lacos_model_create(&config, &embeddings, &first, blocks.data(), &last, &handle))
      << lacos_last_error();
  return ModelHandle(handle);
}

std::vector<int32_t> RandomSentence(Numbers& numbers, int length, int vocabulary) {
  std::vector<int32_t> ids;
  for (int i = 0; i < length; i++) ids.push_back(numbers.Whole(0, vocabulary - 1));
  return ids;
}

std::vector<float> EncodeTokens(const lacos_model* model, const Sentences& s, int hidden) {
  std::vector<float> y(s.ids.size() * hidden, -1.0f);
  EXPECT_EQ(LACOS_OK, lacos_encode_tokens(model, s.ids.data(), static_cast<int64_t>(s.ids.size()), s.offsets.data(),
                                          s.rows(), y.data(), static_cast<int64_t>(y.size())))
      << lacos_last_error();
  return y;
}

PromptHandle CreatePrompt(const lacos_model* model, const std::vector<int32_t>& ids) {
  lacos_prompt* prompt = nullptr;
  EXPECT_EQ(LACOS_OK, lacos_prompt_create(model, ids.data(), static_cast<int64_t>(ids.size()), &prompt))
      << lacos_last_error();
  return PromptHandle(prompt);
}

std::vector<float> Encode(const lacos_model* model, const Sentences& s, int hidden, int pooling,
                          const lacos_prompt* prompt) {
  int modes = 0;
  for (int rest = pooling; rest != 0; rest &= rest - 1) modes++;
  std::vector<float> y(static_cast<size_t>(s.rows()) * hidden * modes, -1.0f);
  EXPECT_EQ(LACOS_OK, lacos_encode(model, prompt, s.ids.data(), static_cast<int64_t>(s.ids.size()), s.offsets.data(),
                                   s.rows(), nullptr, pooling, 0, 1, y.data(), static_cast<int64_t>(y.size())))
      << lacos_last_error();
  return y;
}

}  // namespace lacos
