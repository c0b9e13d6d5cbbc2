// The way back through the causal ALiBi attention of one head over one sentence.
#ifndef LACOS_ATTENTION_BACKWARD_H_
#define LACOS_ATTENTION_BACKWARD_H_

#include "aligned_buffer.h"
#include "kernel.h"

namespace lacos {

// Memory of one thread, linear in the length of the sentence.
struct AttentionBackwardScratch {
  AlignedBuffer<float> query, key, value;  // [tokens, padded head size]
  AlignedBuffer<float> keys, values;       // transposed, in panels
  AlignedBuffer<float> key_gradient, value_gradient;
  AlignedBuffer<float> weights, slopes;  // a block of rows: what softmax gave, and the gradient of its input
  AlignedBuffer<float> transposed;
  AlignedBuffer<float> out;  // a tile of rows

  void Reserve(const FloatGemmKernel& gemm, int tokens, int head_size);
};

struct AttentionBackwardHead {
  const uint16_t* query;  // bfloat16; keys and values follow head_size and 2 * head_size further
  size_t stride;          // elements from token to token, here and in qkv_gradient
  int tokens;
  int head_size;
  float slope;
  const float* context_gradient;  // FloatGemmKernel::columns more floats are readable after the last
  size_t gradient_stride;
  float* qkv_gradient;
};

// With the softmax computed again. Sums over queries run in blocks of a fixed size, so that a sentence's gradients are
// a function of the sentence alone.
void RunAttentionHeadBackward(const KernelSet& kernels, const AttentionBackwardHead& head,
                              AttentionBackwardScratch& scratch);

}  // namespace lacos

#endif  // LACOS_ATTENTION_BACKWARD_H_
