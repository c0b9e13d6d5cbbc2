#include "lora_pass.h"

#include <algorithm>

namespace lacos {
namespace {

// SplitMix64 (Steele, Lea and Flood 2014).
uint64_t Mix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

uint32_t Mix32(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

constexpr int kGroupRows = 24;

}  // namespace

LoraPass::LoraPass(LoraModel& model, const TapeRows& rows, const lacos_adapter* adapters)
    : model_(model),
      w_(model.workspace_),
      runner_(model.threads_),
      kernels_(*model.kernels_),
      rows_(rows),
      adapters_(adapters),
      tokens_(rows.tokens()),
      hidden_(model.config_.hidden_size),
      qkv_stride_(RowStride(3 * hidden_)),
      feed_stride_(RowStride(4 * hidden_)),
      residual_is_normed_(model.config_.residual_post_layer_norm != 0) {
  const size_t n = static_cast<size_t>(tokens_) * hidden_;
  const size_t beyond = static_cast<size_t>(kernels_.float_gemm->columns);
  for (AlignedBuffer<float>* buffer : {&w_.hidden, &w_.middle, &w_.normed, &w_.context}) buffer->Reserve(n + beyond);
  w_.qkv.Reserve(tokens_ * qkv_stride_ + beyond);
  w_.feed.Reserve(tokens_ * feed_stride_ + beyond);
  w_.linear.Reserve(kernels_, runner_.thread_count());
  ReserveThreads();
  const int features = 4 * hidden_ + 16;
  if (w_.dropout_features.count() < static_cast<size_t>(features)) {
    w_.dropout_features.Reserve(features);
    for (int i = 0; i < features; i++) w_.dropout_features[i] = Mix32(static_cast<uint32_t>(i) * 0x9E3779B9u);
  }
}

void LoraPass::ReserveThreads() {
  int longest = 0;
  for (int row = 0; row < rows_.count(); row++) {
    longest = std::max(longest, rows_.offsets[row + 1] - rows_.offsets[row]);
  }
  const size_t width = static_cast<size_t>(4) * hidden_;
  w_.threads.resize(std::max<size_t>(w_.threads.size(), runner_.thread_count()));
  for (LoraThread& thread : w_.threads) {
    thread.attention.Reserve(*kernels_.float_gemm, longest, hidden_ / model_.config_.head_count);
    const size_t group = std::clamp<size_t>(65536 / width, 6, kGroupRows);
    const size_t floats = std::max<size_t>(group * width, 65536) + 64;
    thread.rows.Reserve(floats);
    thread.extra.Reserve(floats);
    thread.scaled.Reserve(width + 64);
    thread.tile.Reserve(static_cast<size_t>(kernels_.float_gemm->rows) * kernels_.float_gemm->columns);
  }
}

void LoraPass::Prepare(int block) {
  block_ = &model_.blocks_[block];
  const uint32_t threshold = rows_.dropout.threshold;
  for (int i = 0; i < kLinearsInBlock; i++) {
    const int layer = block * kLinearsInBlock + i;
    w_.adapters[i].Set(*kernels_.float_gemm, adapters_[layer], linear(i).columns(), linear(i).rows());
    if (!has_adapter(i) || threshold == 0) continue;
    w_.dropout_tokens[i].Reserve(tokens_);
    for (int row = 0; row < rows_.count(); row++) {
      const uint64_t layer_key = Mix64(rows_.dropout.key ^ static_cast<uint32_t>(layer));
      const uint64_t row_key = Mix64(layer_key ^ static_cast<uint64_t>(rows_.keys[row]));
      for (int token = rows_.offsets[row]; token < rows_.offsets[row + 1]; token++) {
        const uint32_t position = static_cast<uint32_t>(token - rows_.offsets[row]);
        w_.dropout_tokens[i][token] = static_cast<uint32_t>(Mix64(row_key ^ position) >> 32);
      }
    }
  }
}

DropoutRow LoraPass::DropoutOf(int linear, int token) const {
  const uint32_t threshold = rows_.dropout.threshold;
  return {w_.dropout_features.data(), threshold == 0 ? 0 : w_.dropout_tokens[linear][token], threshold};
}

ActivationShape LoraPass::Shape(int block) const {
  ActivationShape shape{static_cast<size_t>(tokens_), static_cast<size_t>(hidden_), {}};
  for (int i = 0; i < kLinearsInBlock; i++) shape.ranks[i] = adapters_[block * kLinearsInBlock + i].rank;
  return shape;
}

void LoraPass::Embed(const int32_t* ids, float* x) {
  const LayerNormParameters& norm = model_.embeddings_norm_;
  ForGroups(hidden_, [&](int first, int count, LoraThread&) {
    for (int token = first; token < first + count; token++) {
      float* row = x + static_cast<size_t>(token) * hidden_;
      model_.embeddings_->Dequantize(ids[token], 0, hidden_, row, 1);
      kernels_.vector->layer_norm(row, hidden_, norm.weight.data(), norm.bias.data(), model_.config_.layer_norm_epsilon,
                                  row);
    }
  });
}

void LoraPass::FinalNorm(const float* x, float* y) {
  const LayerNormParameters& norm = model_.final_norm_;
  ForGroups(hidden_, [&](int first, int count, LoraThread&) {
    for (int token = first; token < first + count; token++) {
      const size_t at = static_cast<size_t>(token) * hidden_;
      kernels_.vector->layer_norm(x + at, hidden_, norm.weight.data(), norm.bias.data(),
                                  model_.config_.layer_norm_epsilon, y + at);
    }
  });
}

void LoraPass::FinalNormBackward(const float* x, const float* output_gradient, float* gradient) {
  const LayerNormParameters& norm = model_.final_norm_;
  ForGroups(hidden_, [&](int first, int count, LoraThread&) {
    for (int token = first; token < first + count; token++) {
      const size_t at = static_cast<size_t>(token) * hidden_;
      std::fill_n(gradient + at, hidden_, 0.0f);
      kernels_.training->layer_norm_backward(x + at, hidden_, norm.weight.data(), model_.config_.layer_norm_epsilon,
                                             output_gradient + at, gradient + at);
    }
  });
}

}  // namespace lacos
