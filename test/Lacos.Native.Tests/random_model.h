// A BLOOM of random weights in memory, in any scheme, behind the C structures.
#ifndef LACOS_TEST_RANDOM_MODEL_H_
#define LACOS_TEST_RANDOM_MODEL_H_

#include <memory>
#include <string>
#include <vector>

#include "lacos_native.h"
#include "numbers.h"

namespace lacos {

struct RandomMatrix {
  int rows = 0;
  int columns = 0;
  int scheme = LACOS_SCHEME_NONE;
  int block_size = 0;
  std::vector<float> floats;    // scheme none
  std::vector<int8_t> codes;    // row-wise
  std::vector<uint8_t> blocks;  // block-wise
  std::vector<float> scales;
  std::vector<float> book;
  lacos_panels panels{};
  std::vector<uint8_t> packed;  // row-wise, with room to begin at any address
  size_t packed_at = 0;

  RandomMatrix() = default;
  RandomMatrix(Numbers& numbers, int rows, int columns, int scheme, float deviation);
  lacos_matrix View() const;
  // Puts row-wise codes into panels, `shift` bytes behind a multiple of 64; padding becomes bytes of `padding`. The
  // codes themselves are cleared.
  void Pack(const lacos_panels& layout, size_t shift, uint8_t padding);
  double At(int row, int column) const;  // dequantised
};

struct RandomLinear {
  RandomMatrix weight;
  std::vector<float> bias;
  lacos_linear View() const { return {weight.View(), bias.data()}; }
};

struct RandomNorm {
  std::vector<float> weight;
  std::vector<float> bias;
  lacos_layer_norm View() const { return {weight.data(), bias.data()}; }
};

struct RandomBlock {
  RandomNorm input_norm, post_norm;
  RandomLinear query_key_value, dense, up, down;
};

struct Shape {
  int hidden = 32;
  int layers = 2;
  int heads = 4;
  int vocabulary = 64;
  bool post_norm_residual = false;
};

struct RandomModel {
  Shape shape;
  RandomMatrix embeddings;
  RandomNorm embeddings_norm, final_norm;
  std::vector<RandomBlock> blocks;

  RandomModel(const Shape& shape, int scheme, uint32_t seed);
  void PackLinears(const lacos_panels& layout, size_t shift, uint8_t padding);
};

struct ModelOptions {
  int compute = LACOS_COMPUTE_INT8;
  float outlier_threshold = 0;
  int threads = 1;
  std::string isa;
};

struct ModelDeleter {
  void operator()(lacos_model* model) const { lacos_model_destroy(model); }
};
using ModelHandle = std::unique_ptr<lacos_model, ModelDeleter>;

struct PromptDeleter {
  void operator()(lacos_prompt* prompt) const { lacos_prompt_destroy(prompt); }
};
using PromptHandle = std::unique_ptr<lacos_prompt, PromptDeleter>;

lacos_model_config Config(const Shape& shape, const ModelOptions& options);
// Fails the test where the library refuses.
ModelHandle Create(const RandomModel& model, const ModelOptions& options);

struct Sentences {
  std::vector<int32_t> ids;
  std::vector<int32_t> offsets{0};

  void Add(const std::vector<int32_t>& sentence) {
    ids.insert(ids.end(), sentence.begin(), sentence.end());
    offsets.push_back(static_cast<int32_t>(ids.size()));
  }
  int64_t rows() const { return static_cast<int64_t>(offsets.size()) - 1; }
};

// Fails the test where the library refuses.
PromptHandle CreatePrompt(const lacos_model* model, const std::vector<int32_t>& ids);
std::vector<int32_t> RandomSentence(Numbers& numbers, int length, int vocabulary);
std::vector<float> EncodeTokens(const lacos_model* model, const Sentences& sentences, int hidden);
std::vector<float> Encode(const lacos_model* model, const Sentences& sentences, int hidden, int pooling,
                          const lacos_prompt* prompt = nullptr);

}  // namespace lacos

#endif  // LACOS_TEST_RANDOM_MODEL_H_
