#include "forward.h"

#include <algorithm>

#include "linear_blocking.h"
#include "row_loop.h"

namespace lacos {
Forward::Forward(const Model& model, Workspace& workspace, LoopRunner& runner, const TokenBatch& batch)
    : model_(model),
      w_(workspace),
      runner_(runner),
      batch_(batch),
      kept_(nullptr),
      shared_(nullptr),
      ids_(batch.ids + batch.offsets[0]),
      rows_(batch.tokens()),
      hidden_(model.hidden()),
      qkv_stride_(RowStride(3 * hidden_)),
      feed_stride_(RowStride(4 * hidden_)),
      int8_(model.config_.compute == LACOS_COMPUTE_INT8),
      outliers_(int8_ && model.config_.outlier_threshold > 0),
      keep_normed_(!int8_ || outliers_ || model.config_.residual_post_layer_norm != 0) {
  if (batch.shared == nullptr) return;
  w_.shared.Set(batch.ids, batch.offsets, batch.shared, batch.sentences);
  if (w_.shared.count() == rows_) return;
  shared_ = &w_.shared;
  ids_ = shared_->ids();
  rows_ = shared_->count();
}

void Forward::Reserve(const Model& model, Workspace& w, int threads, const Size& size) {
  const KernelSet& kernels = *model.kernels_;
  const int hidden = model.hidden();
  const size_t n = static_cast<size_t>(size.rows) * hidden;
  const size_t sentences = static_cast<size_t>(size.sentences);
  w.hidden.Reserve(n);
  w.normed.Reserve(n);
  w.qkv.Reserve(size.rows * RowStride(3 * hidden) + static_cast<size_t>(kernels.float_gemm->columns));
  w.context.Reserve(n);
  w.feed.Reserve(size.rows * RowStride(4 * hidden));
  w.pooled.Reserve(static_cast<size_t>(PoolingModeCount(2 * LACOS_POOL_LAST - 1)) * hidden * threads);
  if (model.config_.compute == LACOS_COMPUTE_INT8) w.rows.Reserve(*kernels.int8_gemm, size.rows, 4 * hidden, nullptr);
  w.linear.Reserve(kernels, std::max<int>(threads, static_cast<int>(w.linear.panels.size())));
  if (static_cast<int>(w.attention.size()) < threads) w.attention.resize(threads);
  if (static_cast<int>(w.row.size()) < threads) w.row.resize(threads);
  for (int t = 0; t < threads; t++) {
    w.attention[t].Reserve(*kernels.float_gemm, size.longest, hidden / model.config_.head_count);
    w.row[t].Reserve(static_cast<size_t>(4) * hidden + 64);
  }
  if (model.config_.outlier_threshold > 0) {
    w.outliers.resize(std::max(w.outliers.size(), sentences));
    for (size_t s = 0; s < sentences; s++) w.outliers[s].reserve(static_cast<size_t>(4) * hidden);
    w.spans.reserve(sentences);
  }
  w.shared.Reserve(size.tokens, size.sentences);
}

void Forward::Embed() {
  const LayerNormParameters& norm = model_.embeddings_norm_;
  ForRows(runner_, rows_, hidden_, [&](int row, int) {
    float* x = w_.hidden.data() + static_cast<size_t>(row) * hidden_;
    model_.embeddings_->Dequantize(ids_[row], 0, hidden_, x, 1);
    model_.kernels_->vector->layer_norm(x, hidden_, norm.weight.data(), norm.bias.data(),
                                        model_.config_.layer_norm_epsilon, x);
  });
}

void Forward::Normalize(const LayerNormParameters& norm, const LinearLayer& next) {
  const bool quantize = int8_ && !outliers_;
  if (quantize) next.int8->ReserveRows(w_.rows, rows_);
  ForRows(runner_, rows_, hidden_, [&](int row, int thread) {
    const size_t at = static_cast<size_t>(row) * hidden_;
    float* y = keep_normed_ ? w_.normed.data() + at : w_.row[thread].data();
    model_.kernels_->vector->layer_norm(w_.hidden.data() + at, hidden_, norm.weight.data(), norm.bias.data(),
                                        model_.config_.layer_norm_epsilon, y);
    if (quantize) w_.rows.Set(*model_.kernels_, row, y, hidden_);
  });
  if (outliers_) PrepareWithOutliers(w_.normed.data(), static_cast<size_t>(hidden_), next);
}

void Forward::Prepare(const float* x, size_t stride, const LinearLayer& next) {
  if (!int8_) return;
  if (outliers_) return PrepareWithOutliers(x, stride, next);
  const int n = next.int8->columns();
  next.int8->ReserveRows(w_.rows, rows_);
  ForRows(runner_, rows_, n, [&](int row, int) { w_.rows.Set(*model_.kernels_, row, x + stride * row, n); });
}

void Forward::PrepareWithOutliers(const float* x, size_t stride, const LinearLayer& next) {
  const int n = next.int8->columns();
  next.int8->ReserveRows(w_.rows, rows_);
  const float threshold = model_.config_.outlier_threshold;
  w_.spans.resize(batch_.sentences);
  runner_.For(batch_.sentences, [&](int s, int thread) {
    const int first = batch_.offsets[s] - batch_.offsets[0];
    const int last = batch_.offsets[s + 1] - batch_.offsets[0];
    w_.rows.SetWithOutliers(*model_.kernels_, first, last, x, stride, n, threshold, w_.row[thread].data(),
                            w_.outliers[s]);
    w_.spans[s] = {first, last, w_.outliers[s].data(), static_cast<int>(w_.outliers[s].size())};
  });
}

void Forward::Apply(const LinearLayer& layer, const float* x, size_t stride, const LinearOutput& output,
                    const LinearLayer* following) {
  if (layer.int8 != nullptr) {
    layer.int8->Run(runner_, w_.linear, w_.rows, rows_, layer.int8->bias(), outliers_ ? &w_.spans : nullptr, x, stride,
                    output, following == nullptr ? nullptr : following->int8.get());
  } else {
    layer.floats->Run(runner_, w_.linear, x, stride, rows_, output);
  }
}

void Forward::Attend(int block) {
  const int heads = model_.config_.head_count;
  const float* prompt = batch_.prompt == nullptr ? nullptr : batch_.prompt->block(block);
  const int size = hidden_ / heads;
  runner_.For(batch_.sentences * heads, [&](int task, int thread) {
    const int head = task % heads;
    const int sentence = task / heads;
    const int first = FirstRow(sentence);
    RunAttentionHead(
        *model_.kernels_,
        {w_.qkv.data() + first * qkv_stride_ + static_cast<size_t>(head) * 3 * size, qkv_stride_, Tokens(sentence),
         size, model_.slopes_[head], w_.context.data() + static_cast<size_t>(first) * hidden_ + head * size,
         static_cast<size_t>(hidden_), RowsOf(sentence), shared_ == nullptr ? 0 : shared_->shared(sentence),
         prompt == nullptr ? nullptr : prompt + static_cast<size_t>(head) * 3 * size},
        w_.attention[thread]);
  });
}

void Forward::Block(int index) {
  const BlockParameters& block = model_.blocks_[index];
  const size_t h = static_cast<size_t>(hidden_);
  float* x = w_.hidden.data();
  const float* normed = w_.normed.data();
  const float* residual = model_.config_.residual_post_layer_norm != 0 ? normed : x;
  Normalize(block.input_norm, block.query_key_value);
  Apply(block.query_key_value, normed, h, {w_.qkv.data(), qkv_stride_}, &block.dense);
  if (kept_ != nullptr) std::copy_n(w_.qkv.data(), rows_ * qkv_stride_, kept_->block(index));
  Attend(index);
  Prepare(w_.context.data(), h, block.dense);
  Apply(block.dense, w_.context.data(), h, {x, h, false, residual, h}, &block.up);
  Normalize(block.post_attention_norm, block.up);
  Apply(block.up, normed, h, {w_.feed.data(), feed_stride_, true}, &block.down);
  Prepare(w_.feed.data(), feed_stride_, block.down);
  const bool is_last = index + 1 == model_.config_.layer_count;
  Apply(block.down, w_.feed.data(), feed_stride_, {x, h, false, residual, h},
        is_last ? nullptr : &model_.blocks_[index + 1].query_key_value);
}

void Forward::FinalNorm(float* y) {
  const LayerNormParameters& norm = model_.final_norm_;
  ForRows(runner_, rows_, hidden_, [&](int row, int) {
    const size_t at = static_cast<size_t>(row) * hidden_;
    model_.kernels_->vector->layer_norm(w_.hidden.data() + at, hidden_, norm.weight.data(), norm.bias.data(),
                                        model_.config_.layer_norm_epsilon, y + at);
  });
}

void Forward::Run(float* hidden_states) {
  if (rows_ == 0) return;
  Embed();
  for (int block = 0; block < model_.config_.layer_count; block++) Block(block);
  FinalNorm(hidden_states);
}

void Forward::RunPrompt(Prompt& prompt) {
  kept_ = &prompt;
  Run(prompt.states());
  kept_ = nullptr;
}

void Forward::RunPooled(const int32_t* pool_from, const Pooling& pooling, float* vectors) {
  Run(w_.normed.data());
  const size_t width = static_cast<size_t>(PoolingModeCount(pooling.modes)) * hidden_;
  const float* prompt = batch_.prompt == nullptr ? nullptr : batch_.prompt->states();
  runner_.For(batch_.sentences, [&](int s, int thread) {
    const int count = Tokens(s);
    const int skip = pool_from == nullptr ? 0 : std::min(pool_from[s], count);
    const size_t hidden = static_cast<size_t>(hidden_);
    const TokenRows rows{w_.normed.data() + FirstRow(s) * hidden, hidden, RowsOf(s), prompt};
    Pool(pooling, rows, count, skip, w_.pooled.data() + width * thread,
         vectors + static_cast<size_t>(s) * pooling.dimension);
  });
}

}  // namespace lacos
