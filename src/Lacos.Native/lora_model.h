// A frozen int8 BLOOM with low-rank adapters: packed weights, the buffers of a running pass, and tapes to be used
// again.
#ifndef LACOS_LORA_MODEL_H_
#define LACOS_LORA_MODEL_H_

#include <memory>
#include <mutex>
#include <vector>

#include "attention_backward.h"
#include "input_gradient.h"
#include "lora_adapter.h"
#include "lora_tape.h"
#include "model.h"

namespace lacos {

struct FrozenBlock {
  LayerNormParameters input_norm;
  LayerNormParameters post_attention_norm;
  AlignedBuffer<uint8_t> packed;
  std::unique_ptr<Int8Linear> linears[kLinearsInBlock];
};

// Memory of one thread.
struct LoraThread {
  AttentionScratch attention;
  AttentionBackwardScratch attention_backward;
  AlignedBuffer<float> rows;    // a group of rows of any width
  AlignedBuffer<float> extra;   // the same
  AlignedBuffer<float> scaled;  // one row
  AlignedBuffer<float> tile;
};

// Memory of a running pass; kept between calls.
struct LoraWorkspace {
  AlignedBuffer<float> hidden;                // [tokens, hidden]; on the way back the gradient that goes down
  AlignedBuffer<float> middle;                // [tokens, hidden]
  AlignedBuffer<float> normed;                // [tokens, hidden]
  AlignedBuffer<float> qkv;                   // [tokens, 3 * hidden, padded]
  AlignedBuffer<float> context;               // [tokens, hidden]
  AlignedBuffer<float> feed;                  // [tokens, 4 * hidden, padded]
  AlignedBuffer<float> dropped;               // what an adapter saw, [tokens, up to 4 * hidden]
  AlignedBuffer<float> low[kLinearsInBlock];  // [tokens, rank]; on the way back its gradient
  AlignedBuffer<uint32_t> dropout_tokens[kLinearsInBlock];
  AlignedBuffer<uint32_t> dropout_features;
  AlignedBuffer<uint8_t> spare;  // activations of a block that is computed again
  QuantizedRows rows;
  LinearScratch linear;
  GradientScratch gradient;
  OverTokensScratch over_tokens;
  PreparedAdapter adapters[kLinearsInBlock];
  std::vector<LoraThread> threads;
};

// Tapes that are over, and what those in use keep. Outlives the model where a tape does.
class TapePool {
 public:
  std::unique_ptr<Tape> Take();
  void Return(std::unique_ptr<Tape> tape) noexcept;
  size_t kept_bytes();
  void AddKept(Tape& tape, size_t bytes);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Tape>> free_;
  size_t kept_bytes_ = 0;
};

// Calls at the same time follow each other.
class LoraModel {
 public:
  LoraModel(const lacos_model_config& config, const lacos_matrix& embeddings, const lacos_layer_norm& embeddings_norm,
            const lacos_layer_norm& final_norm);
  void AddBlock(const lacos_block& block);

  // Arguments are checked already. tape may be null.
  void Forward(const int32_t* ids, const TapeRows& rows, const lacos_adapter* adapters, size_t activation_bytes,
               Tape* tape, float* hidden_states);
  void Backward(Tape& tape, const lacos_adapter* adapters, const float* gradient,
                const lacos_adapter_gradient* gradients);

  const lacos_model_config& config() const { return config_; }
  bool is_whole() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return static_cast<int>(blocks_.size()) == config_.layer_count;
  }
  const std::shared_ptr<TapePool>& tapes() const { return tapes_; }

 private:
  friend class LoraPass;

  lacos_model_config config_;
  const KernelSet* kernels_;
  std::unique_ptr<WeightView> embeddings_;
  LayerNormParameters embeddings_norm_;
  LayerNormParameters final_norm_;
  std::vector<FrozenBlock> blocks_;
  std::vector<float> slopes_;
  LoopThreads threads_;
  mutable std::mutex mutex_;
  LoraWorkspace workspace_;
  std::shared_ptr<TapePool> tapes_ = std::make_shared<TapePool>();
};

}  // namespace lacos

#endif  // LACOS_LORA_MODEL_H_
