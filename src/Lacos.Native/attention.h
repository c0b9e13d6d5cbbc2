// Causal ALiBi attention of one head over one sentence, without padding.
#ifndef LACOS_ATTENTION_H_
#define LACOS_ATTENTION_H_

#include <cstdint>
#include <vector>

#include "aligned_buffer.h"
#include "kernel.h"
#include "token_rows.h"

namespace lacos {

// Slope of every head: powers of one base for the largest power of two of heads, odd powers of a second one for the
// rest.
std::vector<float> AlibiSlopes(int heads);

// Memory of one thread, linear in the length of the sentence.
struct AttentionScratch {
  AlignedBuffer<float> keys;    // transposed, in panels
  AlignedBuffer<float> values;  // one after the other, where a sentence's rows are not
  AlignedBuffer<float> scores;  // a tile of rows
  AlignedBuffer<float> out;     // a tile of rows

  void Reserve(const FloatGemmKernel& gemm, int tokens, int head_size);
};

struct AttentionHead {
  const float* query;  // first token of the sentence; keys and values follow head_size and 2 * head_size further
  size_t stride;       // floats from token to token; FloatGemmKernel::columns more are readable after the last
  int tokens;
  int head_size;
  float slope;
  float* context;  // [tokens, head_size]
  size_t context_stride;
  // A sentence of which some rows are others' (shared_prefixes.h): the row of each token, counted from query and from
  // context. The context of the first `shared` tokens is there already, or not needed.
  const int32_t* rows = nullptr;
  int shared = 0;
  const float* prompt = nullptr;  // query of the prompt's first token, where rows are the prompt's
};

// context[i] = sum_j softmax_j(query[i] . key[j] / sqrt(head_size) + slope * j) value[j] over j <= i. Only the key's
// position is in the bias: within a row softmax does not see the constant slope * i.
void RunAttentionHead(const KernelSet& kernels, const AttentionHead& head, AttentionScratch& scratch);

}  // namespace lacos

#endif  // LACOS_ATTENTION_H_
