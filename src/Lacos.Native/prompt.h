// What a model makes of tokens that many sentences begin with. They come before all others and depend on none of them,
// so their keys, values and last states are computed once and serve every sentence, to the bit.
#ifndef LACOS_PROMPT_H_
#define LACOS_PROMPT_H_

#include <cstdint>
#include <vector>

#include "aligned_buffer.h"

namespace lacos {

class Model;

class Prompt {
 public:
  // ids are checked already, and at least one. Throws Error LACOS_INVALID_ARGUMENT where the model has outlier columns,
  // which depend on whole sentences.
  Prompt(const Model& model, const int32_t* ids, int tokens);

  bool IsOf(uint64_t model_id) const { return model_id == model_id_; }
  int tokens() const { return static_cast<int>(ids_.size()); }
  const int32_t* ids() const { return ids_.data(); }
  size_t bytes() const { return sizeof(float) * (blocks_.count() + states_.count()); }

  // Queries, keys and values of a block, [tokens, qkv_stride].
  const float* block(int index) const { return blocks_.data() + index * block_size_; }
  float* block(int index) { return blocks_.data() + index * block_size_; }
  // After the final layer norm, [tokens, hidden].
  const float* states() const { return states_.data(); }
  float* states() { return states_.data(); }

 private:
  uint64_t model_id_;
  std::vector<int32_t> ids_;
  size_t block_size_;
  AlignedBuffer<float> blocks_;
  AlignedBuffer<float> states_;
};

}  // namespace lacos

#endif  // LACOS_PROMPT_H_
