#include <algorithm>

#include "lora_pass.h"

namespace lacos {

template <class MakeRow>
void LoraPass::Enter(int i, const BlockActivations& keep, const Target& target, const MakeRow& make) {
  const int inputs = linear(i).columns();
  const int outputs = linear(i).rows();
  const PreparedAdapter& adapter = w_.adapters[i];
  const size_t rank = static_cast<size_t>(adapter.rank());
  float* low = keep.low[i];
  if (low == nullptr && adapter.is_set()) {
    w_.low[i].Reserve(tokens_ * rank);
    low = w_.low[i].data();
  }
  linear(i).ReserveRows(w_.rows, tokens_);
  ForGroups(inputs, [&](int first, int count, LoraThread& thread) {
    const size_t stride = static_cast<size_t>(inputs);
    float* x = thread.rows.data();
    for (int r = 0; r < count; r++) {
      make(first + r, x + stride * r);
      if (target.y != nullptr) {
        w_.rows.Set(kernels_, first + r, x + stride * r, inputs);
      }
      if (adapter.is_set() && rows_.dropout.threshold != 0) {
        kernels_.training->drop(DropoutOf(i, first + r), inputs, x + stride * r);
      }
    }
    if (!adapter.is_set()) return;
    adapter.Down(count, x, stride, low + rank * first, thread.tile.data());
    if (target.y == nullptr) return;
    float* y = target.y + target.y_stride * first;
    for (int r = 0; target.residual != nullptr && r < count; r++) {
      std::copy_n(target.residual + static_cast<size_t>(first + r) * outputs, outputs, y + target.y_stride * r);
    }
    adapter.Up(count, low + rank * first, target.residual != nullptr, y, target.y_stride, thread.tile.data());
  });
  if (target.y != nullptr) Apply(i, target);
}

void LoraPass::Apply(int i, const Target& target) {
  // Where there is an adapter, its part, and the residual with it, lies in y already.
  const float* residual = has_adapter(i) ? target.y : target.residual;
  const size_t stride = has_adapter(i) ? target.y_stride : static_cast<size_t>(linear(i).rows());
  linear(i).Run(runner_, w_.linear, w_.rows, tokens_, linear(i).bias(), nullptr, nullptr, 0,
                {target.y, target.y_stride, false, residual, stride});
}

void LoraPass::Forward(int block, const float* x, const BlockActivations& keep, float* y) {
  Prepare(block);
  const size_t h = static_cast<size_t>(hidden_);
  const int size = hidden_ / model_.config_.head_count;
  const VectorKernels& vector = *kernels_.vector;
  const TrainingKernels& training = *kernels_.training;
  float* middle = keep.middle != nullptr ? keep.middle : w_.middle.data();
  float* normed = w_.normed.data();
  const auto Normalize = [&](const LayerNormParameters& norm, const float* from, int token, float* to) {
    vector.layer_norm(from + h * token, hidden_, norm.weight.data(), norm.bias.data(),
                      model_.config_.layer_norm_epsilon, to);
    if (residual_is_normed_) std::copy_n(to, h, normed + h * token);
  };

  Enter(0, keep, {w_.qkv.data(), qkv_stride_, nullptr},
        [&](int token, float* to) { Normalize(block_->input_norm, x, token, to); });
  ForHeads([&](int first, int count, int head, LoraThread& thread) {
    const float* qkv = w_.qkv.data() + qkv_stride_ * first + static_cast<size_t>(head) * 3 * size;
    for (int j = 0; keep.qkv != nullptr && j < count; j++) {
      training.pack(qkv + qkv_stride_ * j, 3 * size,
                    keep.qkv + 3 * (h * (first + j) + static_cast<size_t>(head) * size));
    }
    RunAttentionHead(kernels_,
                     {qkv, qkv_stride_, count, size, model_.slopes_[head],
                      w_.context.data() + h * first + static_cast<size_t>(head) * size, h},
                     thread.attention);
  });
  Enter(1, keep, {middle, h, residual_is_normed_ ? normed : x}, [&](int token, float* to) {
    std::copy_n(w_.context.data() + h * token, h, to);
    if (keep.context != nullptr) training.pack(to, hidden_, keep.context + h * token);
  });
  Enter(2, keep, {w_.feed.data(), feed_stride_, nullptr},
        [&](int token, float* to) { Normalize(block_->post_attention_norm, middle, token, to); });
  if (y == nullptr && !has_adapter(3)) {
    for (int token = 0; token < tokens_; token++) {
      training.pack(w_.feed.data() + feed_stride_ * token, 4 * hidden_, keep.up + 4 * h * token);
    }
    return;
  }
  Enter(3, keep, {y, h, residual_is_normed_ ? normed : middle}, [&](int token, float* to) {
    const float* from = w_.feed.data() + feed_stride_ * token;
    if (keep.up != nullptr) training.pack(from, 4 * hidden_, keep.up + 4 * h * token);
    training.gelu(from, 4 * hidden_, to);
  });
}

void LoraModel::Forward(const int32_t* ids, const TapeRows& rows, const lacos_adapter* adapters,
                        size_t activation_bytes, Tape* tape, float* hidden_states) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (tape != nullptr) {
    std::vector<ActivationShape> shapes;
    size_t free = activation_bytes - std::min(activation_bytes, tapes_->kept_bytes());
    size_t kept_bytes = 0;
    int kept = 0;
    for (int i = 0; i < config_.layer_count; i++) {
      ActivationShape shape{static_cast<size_t>(rows.tokens()), static_cast<size_t>(config_.hidden_size), {}};
      for (int j = 0; j < kLinearsInBlock; j++) shape.ranks[j] = adapters[i * kLinearsInBlock + j].rank;
      shapes.push_back(shape);
      const size_t bytes = BlockBytes(shape);
      if (kept == i && bytes <= free - kept_bytes) {
        kept++;
        kept_bytes += bytes;
      }
    }
    tape->Lay(rows, shapes, kept);
    tapes_->AddKept(*tape, kept_bytes);
  }
  LoraPass pass(*this, rows, adapters);
  const auto Input = [&](int block) {
    if (tape == nullptr) return workspace_.hidden.data();
    return block < config_.layer_count ? tape->blocks()[block].input : tape->last();
  };
  pass.Embed(ids, Input(0));
  for (int i = 0; i < config_.layer_count; i++) {
    const BlockActivations keep = tape == nullptr ? BlockActivations() : tape->blocks()[i].activations;
    pass.Forward(i, Input(i), keep, Input(i + 1));
  }
  pass.FinalNorm(Input(config_.layer_count), hidden_states);
}

}  // namespace lacos
