// One batch on its way through the blocks of a LoraModel, forward or back.
#ifndef LACOS_LORA_PASS_H_
#define LACOS_LORA_PASS_H_

#include <algorithm>

#include "linear_blocking.h"
#include "lora_model.h"
#include "training_kernels.h"

namespace lacos {

class LoraPass {
 public:
  LoraPass(LoraModel& model, const TapeRows& rows, const lacos_adapter* adapters);

  void Embed(const int32_t* ids, float* x);
  void FinalNorm(const float* x, float* y);
  // gradient = that of x, given that of what FinalNorm made of it.
  void FinalNormBackward(const float* x, const float* output_gradient, float* gradient);

  ActivationShape Shape(int block) const;
  // y may be x. Without y the block ends when all that `keep` asks for is there.
  void Forward(int block, const float* x, const BlockActivations& keep, float* y);
  // gradient: of the block's output, then of its input unless that is not asked for.
  void Backward(int block, const float* x, const BlockActivations& kept, float* gradient, bool input_gradient,
                const lacos_adapter_gradient* gradients);

 private:
  // Where a layer's output begins: zero, or a residual.
  struct Target {
    float* y;
    size_t y_stride;
    const float* residual;  // [tokens, outputs], or null
  };

  void Prepare(int block);
  void ReserveThreads();
  DropoutRow DropoutOf(int linear, int token) const;
  bool has_adapter(int linear) const { return w_.adapters[linear].is_set(); }
  const Int8Linear& linear(int i) const { return *block_->linears[i]; }

  // Calls body(first row, rows, thread) for groups of rows that fit a thread's memory.
  template <class Body>
  void ForGroups(int width, const Body& body);
  template <class Body>
  void ForHeads(const Body& body);
  // Runs linear layer i and its adapter over rows that make(token, x) writes.
  template <class MakeRow>
  void Enter(int i, const BlockActivations& keep, const Target& target, const MakeRow& make);
  void Apply(int i, const Target& target);
  // Makes `count` rows of the gradient of layer i's output ready for its product, and for its adapter.
  void Leave(int i, int first, int count, const float* gradient, size_t stride, LoraThread& thread);
  // Adds the adapter's part to rows of the gradient of layer i's input.
  void AddAdapter(int i, int first, int count, float* gradient, size_t stride, LoraThread& thread);
  void GradientOfB(int i, const BlockActivations& kept, const float* output_gradient, size_t stride,
                   const lacos_adapter_gradient* gradients);
  void GradientOfA(int i, const lacos_adapter_gradient* gradients);
  void FeedForwardBackward(const BlockActivations& kept, float* gradient, const lacos_adapter_gradient* gradients);
  void AttentionBackward(const BlockActivations& kept, float* gradient, const lacos_adapter_gradient* gradients);
  // What layer i's adapter saw of a row that came from a layer norm, into w_.dropped.
  void Normalized(int i, const LayerNormParameters& norm, const float* x, int token);
  void Drop(int i, int token, float* x) const;
  void NormBackward(const LayerNormParameters& norm, const float* x, int token, float* normed_gradient,
                    float* gradient) const;

  LoraModel& model_;
  LoraWorkspace& w_;
  LoopRunner& runner_;
  const KernelSet& kernels_;
  const TapeRows& rows_;
  const lacos_adapter* adapters_;
  const FrozenBlock* block_ = nullptr;
  int tokens_;
  int hidden_;
  size_t qkv_stride_;
  size_t feed_stride_;
  bool residual_is_normed_;
};

template <class Body>
void LoraPass::ForGroups(int width, const Body& body) {
  // Whole tiles, as many as half of a second-level cache holds.
  const int rows = std::clamp(65536 / width, 6, 24) / 6 * 6;
  runner_.For((tokens_ + rows - 1) / rows, [&](int task, int thread) {
    const int first = task * rows;
    body(first, std::min(rows, tokens_ - first), w_.threads[thread]);
  });
}

// Calls body(first token, tokens, head, thread) for every head of every row.
template <class Body>
void LoraPass::ForHeads(const Body& body) {
  const int heads = model_.config_.head_count;
  runner_.For(rows_.count() * heads, [&](int task, int thread) {
    const int row = task / heads;
    const int first = rows_.offsets[row];
    const int count = rows_.offsets[row + 1] - first;
    if (count > 0) body(first, count, task % heads, w_.threads[thread]);
  });
}

}  // namespace lacos

#endif  // LACOS_LORA_PASS_H_
