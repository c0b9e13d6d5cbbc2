#include <algorithm>

#include "lora_pass.h"

namespace lacos {

void LoraPass::Leave(int i, int first, int count, const float* gradient, size_t stride, LoraThread& thread) {
  for (int r = 0; r < count; r++) {
    QuantizeGradientRow(kernels_, linear(i), first + r, gradient + stride * r, thread.scaled.data(), w_.gradient.rows);
  }
  const PreparedAdapter& adapter = w_.adapters[i];
  if (!adapter.is_set()) return;
  float* low = w_.low[i].data() + static_cast<size_t>(adapter.rank()) * first;
  adapter.DownBackward(count, gradient, stride, low, thread.tile.data());
}

void LoraPass::AddAdapter(int i, int first, int count, float* gradient, size_t gradient_stride, LoraThread& thread) {
  const PreparedAdapter& adapter = w_.adapters[i];
  const int inputs = linear(i).columns();
  const size_t stride = static_cast<size_t>(inputs);
  adapter.UpBackward(count, w_.low[i].data() + static_cast<size_t>(adapter.rank()) * first, thread.extra.data(), stride,
                     thread.tile.data());
  for (int r = 0; r < count; r++) {
    kernels_.training->add_kept(DropoutOf(i, first + r), inputs, thread.extra.data() + stride * r,
                                gradient + gradient_stride * r);
  }
}

void LoraPass::GradientOfB(int i, const BlockActivations& kept, const float* output_gradient, size_t stride,
                           const lacos_adapter_gradient* gradients) {
  if (!has_adapter(i)) return;
  const int rank = w_.adapters[i].rank();
  const int outputs = linear(i).rows();
  SumOverTokens(
      *kernels_.float_gemm, runner_, w_.over_tokens,
      {tokens_, rank, kept.low[i], outputs, output_gradient, stride, gradients[i].b, 1, static_cast<size_t>(rank)});
}

void LoraPass::GradientOfA(int i, const lacos_adapter_gradient* gradients) {
  if (!has_adapter(i)) return;
  const int inputs = linear(i).columns();
  const size_t stride = static_cast<size_t>(inputs);
  SumOverTokens(
      *kernels_.float_gemm, runner_, w_.over_tokens,
      {tokens_, w_.adapters[i].rank(), w_.low[i].data(), inputs, w_.dropped.data(), stride, gradients[i].a, stride, 1});
}

// gradient += the part of a layer norm's input, where normed_gradient is that of its output.
void LoraPass::NormBackward(const LayerNormParameters& norm, const float* x, int token, float* normed_gradient,
                            float* gradient) const {
  const size_t at = static_cast<size_t>(token) * hidden_;
  float* to = gradient + at;
  float* from = normed_gradient + at;
  if (residual_is_normed_) {
    // What went round the layers came from the normalised rows.
    for (int i = 0; i < hidden_; i++) from[i] += to[i];
    std::fill_n(to, hidden_, 0.0f);
  }
  kernels_.training->layer_norm_backward(x + at, hidden_, norm.weight.data(), model_.config_.layer_norm_epsilon, from,
                                         to);
}

// gradient: of the block's output; then of `middle`, made ready for dense.
void LoraPass::FeedForwardBackward(const BlockActivations& kept, float* gradient,
                                   const lacos_adapter_gradient* gradients) {
  const size_t h = static_cast<size_t>(hidden_);
  const TrainingKernels& training = *kernels_.training;
  float* feed = w_.feed.data();
  float* normed = w_.normed.data();
  float* dropped = w_.dropped.data();
  linear(3).ReserveGradientRows(w_.gradient.rows, tokens_);
  ForGroups(hidden_,
            [&](int first, int count, LoraThread& thread) { Leave(3, first, count, gradient + h * first, h, thread); });
  GradientOfB(3, kept, gradient, h, gradients);
  InputGradientProduct(kernels_, linear(3), runner_, w_.gradient, tokens_, feed, feed_stride_);
  linear(2).ReserveGradientRows(w_.gradient.rows, tokens_);
  ForGroups(4 * hidden_, [&](int first, int count, LoraThread& thread) {
    const int width = 4 * hidden_;
    if (has_adapter(3)) AddAdapter(3, first, count, feed + feed_stride_ * first, feed_stride_, thread);
    for (int token = first; token < first + count; token++) {
      float* up = thread.rows.data();
      training.unpack(kept.up + 4 * h * token, width, up);
      training.gelu_backward(up, width, feed + feed_stride_ * token);
      if (!has_adapter(3)) continue;
      training.gelu(up, width, dropped + 4 * h * token);
      Drop(3, token, dropped + 4 * h * token);
    }
    Leave(2, first, count, feed + feed_stride_ * first, feed_stride_, thread);
  });
  GradientOfA(3, gradients);
  GradientOfB(2, kept, feed, feed_stride_, gradients);
  InputGradientProduct(kernels_, linear(2), runner_, w_.gradient, tokens_, normed, h);
  linear(1).ReserveGradientRows(w_.gradient.rows, tokens_);
  const LayerNormParameters& norm = block_->post_attention_norm;
  ForGroups(hidden_, [&](int first, int count, LoraThread& thread) {
    if (has_adapter(2)) AddAdapter(2, first, count, normed + h * first, h, thread);
    for (int token = first; token < first + count; token++) {
      if (has_adapter(2)) Normalized(2, norm, kept.middle, token);
      NormBackward(norm, kept.middle, token, normed, gradient);
    }
    Leave(1, first, count, gradient + h * first, h, thread);
  });
  GradientOfA(2, gradients);
}

// gradient: of `middle`; the rest of its way to the block's input is left in w_.qkv, the gradient of that layer's
// output.
void LoraPass::AttentionBackward(const BlockActivations& kept, float* gradient,
                                 const lacos_adapter_gradient* gradients) {
  const size_t h = static_cast<size_t>(hidden_);
  float* context = w_.context.data();
  GradientOfB(1, kept, gradient, h, gradients);
  InputGradientProduct(kernels_, linear(1), runner_, w_.gradient, tokens_, context, h);
  if (has_adapter(1)) {
    ForGroups(hidden_, [&](int first, int count, LoraThread& thread) {
      AddAdapter(1, first, count, context + h * first, h, thread);
      for (int token = first; token < first + count; token++) {
        float* dropped = w_.dropped.data() + h * token;
        kernels_.training->unpack(kept.context + h * token, hidden_, dropped);
        Drop(1, token, dropped);
      }
    });
    GradientOfA(1, gradients);
  }
  const int size = hidden_ / model_.config_.head_count;
  ForHeads([&](int first, int count, int head, LoraThread& thread) {
    const size_t at = 3 * (h * first + static_cast<size_t>(head) * size);
    RunAttentionHeadBackward(kernels_,
                             {kept.qkv + at, 3 * h, count, size, model_.slopes_[head],
                              context + h * first + static_cast<size_t>(head) * size, h, w_.qkv.data() + at},
                             thread.attention_backward);
  });
}

void LoraPass::Drop(int i, int token, float* x) const {
  if (rows_.dropout.threshold != 0) kernels_.training->drop(DropoutOf(i, token), linear(i).columns(), x);
}

void LoraPass::Normalized(int i, const LayerNormParameters& norm, const float* x, int token) {
  const size_t at = static_cast<size_t>(token) * hidden_;
  kernels_.vector->layer_norm(x + at, hidden_, norm.weight.data(), norm.bias.data(), model_.config_.layer_norm_epsilon,
                              w_.dropped.data() + at);
  Drop(i, token, w_.dropped.data() + at);
}

void LoraPass::Backward(int block, const float* x, const BlockActivations& kept, float* gradient, bool input_gradient,
                        const lacos_adapter_gradient* gradients) {
  Prepare(block);
  const size_t h = static_cast<size_t>(hidden_);
  int length = 0;
  for (LoraThread& thread : w_.threads) {
    for (int row = 0; row < rows_.count(); row++)
      length = std::max(length, rows_.offsets[row + 1] - rows_.offsets[row]);
    thread.attention_backward.Reserve(*kernels_.float_gemm, length, hidden_ / model_.config_.head_count);
  }
  for (int i = 0; i < kLinearsInBlock; i++) {
    if (!has_adapter(i)) continue;
    const size_t beyond = static_cast<size_t>(kernels_.float_gemm->columns);
    w_.low[i].Reserve(static_cast<size_t>(tokens_) * w_.adapters[i].rank());
    w_.dropped.Reserve(static_cast<size_t>(tokens_) * linear(i).columns() + beyond);
  }
  FeedForwardBackward(kept, gradient, gradients);
  AttentionBackward(kept, gradient, gradients);
  float* normed = w_.normed.data();
  const float* qkv = w_.qkv.data();
  linear(0).ReserveGradientRows(w_.gradient.rows, tokens_);
  ForGroups(3 * hidden_, [&](int first, int count, LoraThread& thread) {
    Leave(0, first, count, qkv + 3 * h * first, 3 * h, thread);
  });
  GradientOfB(0, kept, qkv, 3 * h, gradients);
  if (input_gradient) InputGradientProduct(kernels_, linear(0), runner_, w_.gradient, tokens_, normed, h);
  ForGroups(hidden_, [&](int first, int count, LoraThread& thread) {
    if (has_adapter(0) && input_gradient) AddAdapter(0, first, count, normed + h * first, h, thread);
    for (int token = first; token < first + count; token++) {
      if (has_adapter(0)) Normalized(0, block_->input_norm, x, token);
      if (input_gradient) NormBackward(block_->input_norm, x, token, normed, gradient);
    }
  });
  GradientOfA(0, gradients);
}

void LoraModel::Backward(Tape& tape, const lacos_adapter* adapters, const float* gradient,
                         const lacos_adapter_gradient* gradients) {
  std::lock_guard<std::mutex> lock(mutex_);
  LoraPass pass(*this, tape.rows(), adapters);
  float* flowing = workspace_.hidden.data();
  pass.FinalNormBackward(tape.last(), gradient, flowing);
  int lowest = 0;
  while (lowest < config_.layer_count * kLinearsInBlock && adapters[lowest].rank == 0) lowest++;
  lowest /= kLinearsInBlock;
  for (int i = config_.layer_count - 1; i >= lowest; i--) {
    const BlockTape& block = tape.blocks()[i];
    BlockActivations activations = block.activations;
    if (!block.kept) {
      const ActivationShape shape = pass.Shape(i);
      workspace_.spare.Reserve(BlockBytes(shape));
      Stretch stretch(workspace_.spare.data());
      activations = TakeBlock(stretch, shape);
      pass.Forward(i, block.input, activations, nullptr);
    }
    pass.Backward(i, block.input, activations, flowing, i > lowest,
                  gradients + static_cast<size_t>(i) * kLinearsInBlock);
  }
}

}  // namespace lacos
