#include "lora_model.h"

#include <new>

#include "kernel_selection.h"
#include "read_once.h"
#include "status.h"
#include "thread_count.h"

namespace lacos {
namespace {

LayerNormParameters CopyNorm(const lacos_layer_norm& norm, int hidden, const char* name, int layer) {
  return {CopyFinite(norm.weight, hidden, name, layer), CopyFinite(norm.bias, hidden, name, layer)};
}

int ThreadsOf(const lacos_model_config& config) {
  return config.thread_count > 0 ? config.thread_count : DefaultThreadCount().count;
}

}  // namespace

std::unique_ptr<Tape> TapePool::Take() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (free_.empty()) return std::make_unique<Tape>();
  std::unique_ptr<Tape> tape = std::move(free_.back());
  free_.pop_back();
  return tape;
}

void TapePool::Return(std::unique_ptr<Tape> tape) noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  kept_bytes_ -= tape->kept_bytes;
  tape->kept_bytes = 0;
  try {
    free_.push_back(std::move(tape));
  } catch (const std::bad_alloc&) {
    // It is freed instead.
  }
}

void TapePool::AddKept(Tape& tape, size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  tape.kept_bytes = bytes;
  kept_bytes_ += bytes;
}

size_t TapePool::kept_bytes() {
  std::lock_guard<std::mutex> lock(mutex_);
  return kept_bytes_;
}

LoraModel::LoraModel(const lacos_model_config& config, const lacos_matrix& embeddings,
                     const lacos_layer_norm& embeddings_norm, const lacos_layer_norm& final_norm)
    : config_(CheckedConfig(config)),
      kernels_(&SelectKernels(config.isa)),
      slopes_(AlibiSlopes(config.head_count)),
      threads_(ThreadsOf(config), kernels_->int8_gemm->release) {
  if (config.compute != LACOS_COMPUTE_INT8 || config.outlier_threshold != 0) {
    Fail(LACOS_INVALID_ARGUMENT,
         "compute is %d and outlier_threshold %g; training runs in int8 (0) without outliers (0).", config.compute,
         static_cast<double>(config.outlier_threshold));
  }
  const int h = config.hidden_size;
  embeddings_ = std::make_unique<WeightView>(embeddings, config.vocabulary_size, h, "word_embeddings.weight", -1);
  embeddings_norm_ = CopyNorm(embeddings_norm, h, "word_embeddings_layernorm", -1);
  final_norm_ = CopyNorm(final_norm, h, "ln_f", -1);
}

void LoraModel::AddBlock(const lacos_block& block) {
  std::lock_guard<std::mutex> lock(mutex_);
  const int layer = static_cast<int>(blocks_.size());
  const int h = config_.hidden_size;
  if (layer == config_.layer_count) {
    Fail(LACOS_INVALID_ARGUMENT, "The model has its %d blocks already; there is no place for another.", layer);
  }
  struct Part {
    const lacos_linear& linear;
    int rows;
    int columns;
    const char* name;
  };
  const Part parts[kLinearsInBlock] = {{block.query_key_value, 3 * h, h, "self_attention.query_key_value"},
                                       {block.dense, h, h, "self_attention.dense"},
                                       {block.dense_h_to_4h, 4 * h, h, "mlp.dense_h_to_4h"},
                                       {block.dense_4h_to_h, h, 4 * h, "mlp.dense_4h_to_h"}};
  FrozenBlock made;
  made.input_norm = CopyNorm(block.input_layer_norm, h, "input_layernorm", layer);
  made.post_attention_norm = CopyNorm(block.post_attention_layer_norm, h, "post_attention_layernorm", layer);
  size_t bytes = 0;
  for (const Part& part : parts) bytes += Int8Linear::PackedBytes(*kernels_, part.rows, part.columns);
  made.packed.Reserve(bytes);
  uint8_t* memory = made.packed.data();
  for (int i = 0; i < kLinearsInBlock; i++) {
    const Part& part = parts[i];
    const WeightView weight(part.linear.weight, part.rows, part.columns, part.name, layer);
    if (weight.scheme() != LACOS_SCHEME_ROWWISE) {
      Fail(LACOS_INVALID_ARGUMENT, "h.%d.%s has scheme %d; int8 training needs row-wise weights (1).", layer, part.name,
           weight.scheme());
    }
    std::vector<float> bias = CopyFinite(part.linear.bias, part.rows, part.name, layer);
    made.linears[i] = std::make_unique<Int8Linear>(*kernels_, weight, std::move(bias), memory);
    memory += Int8Linear::PackedBytes(*kernels_, part.rows, part.columns);
    threads_.For(made.linears[i]->panel_count(), [&](int panel, int) { made.linears[i]->PackPanel(weight, panel); });
    LetGo(weight.data(), weight.data_bytes());
  }
  blocks_.push_back(std::move(made));
}

}  // namespace lacos
