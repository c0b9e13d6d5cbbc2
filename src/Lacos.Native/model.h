// A BLOOM encoder: checked and packed weights, the threads that run it, and the buffers of calls that are over.
#ifndef LACOS_MODEL_H_
#define LACOS_MODEL_H_

#include <memory>
#include <mutex>
#include <vector>

#include "attention.h"
#include "linear.h"
#include "loop_threads.h"
#include "pooling.h"
#include "prompt.h"
#include "shared_prefixes.h"
#include "weight_view.h"

namespace lacos {

struct LayerNormParameters {
  std::vector<float> weight;
  std::vector<float> bias;
};

// Exactly one of the two is set.
struct LinearLayer {
  std::unique_ptr<Int8Linear> int8;
  std::unique_ptr<FloatLinear> floats;
};

struct BlockParameters {
  LayerNormParameters input_norm;
  LinearLayer query_key_value;
  LinearLayer dense;
  LayerNormParameters post_attention_norm;
  LinearLayer up;    // dense_h_to_4h
  LinearLayer down;  // dense_4h_to_h
};

// Buffers of one running call.
struct Workspace {
  AlignedBuffer<float> hidden;   // residual stream [tokens, hidden]
  AlignedBuffer<float> normed;   // after a layer norm [tokens, hidden]
  AlignedBuffer<float> qkv;      // [tokens, 3 * hidden + padding]
  AlignedBuffer<float> context;  // [tokens, hidden]
  AlignedBuffer<float> feed;     // [tokens, 4 * hidden + padding]
  AlignedBuffer<float> pooled;   // one row a thread
  QuantizedRows rows;
  LinearScratch linear;
  std::vector<AttentionScratch> attention;  // one a thread
  std::vector<AlignedBuffer<float>> row;    // one a thread, [4 * hidden], padded
  std::vector<std::vector<int>> outliers;   // columns of each sentence
  std::vector<OutlierSpan> spans;
  SharedRows shared;
};

struct TokenBatch {
  const int32_t* ids;
  const int32_t* offsets;  // sentences + 1; absolute
  int sentences;
  const SharedPrefix* shared = nullptr;  // of each; null: nothing is shared
  const Prompt* prompt = nullptr;        // where some share tokens with it
  int tokens() const { return offsets[sentences] - offsets[0]; }
};

// Throws Error LACOS_INVALID_ARGUMENT for numbers no model can have.
const lacos_model_config& CheckedConfig(const lacos_model_config& config);

class Model {
 public:
  Model(const lacos_model_config& config, const lacos_matrix& embeddings, const lacos_layer_norm& embeddings_norm,
        const lacos_block* blocks, const lacos_layer_norm& final_norm);

  // Pools into vectors, or writes all tokens to hidden_states where that is not null. Arguments are checked already.
  // Of sentences that begin with tokens of the batch's prompt these are not computed where vectors are pooled.
  void Encode(const TokenBatch& batch, const int32_t* pool_from, const Pooling& pooling, float* vectors,
              float* hidden_states) const;
  // Fills a prompt of this model.
  void Compute(Prompt& prompt) const;

  int hidden() const { return config_.hidden_size; }
  int vocabulary() const { return config_.vocabulary_size; }
  int heads() const { return config_.head_count; }
  int layers() const { return config_.layer_count; }
  bool has_outliers() const { return config_.outlier_threshold > 0; }
  // No other model of this process has it, before or after.
  uint64_t id() const { return id_; }
  const KernelSet& kernels() const { return *kernels_; }
  int thread_count() const { return pool_->thread_count(); }
  size_t bytes() const { return bytes_; }

 private:
  friend class Forward;
  // Bytes to be packed into; none where the weights are used in place.
  size_t RoomFor(const lacos_linear& linear, int rows, int columns) const;
  LinearLayer MakeLinear(const lacos_linear& linear, int rows, int columns, const char* name, int layer);
  // Rows of the parts that threads take each for itself; 0 where they share each layer.
  int PartRows(int rows, int threads) const;
  std::unique_ptr<Workspace> TakeWorkspace() const;
  void ReturnWorkspace(std::unique_ptr<Workspace> workspace) const noexcept;

  lacos_model_config config_;
  uint64_t id_;
  const KernelSet* kernels_;
  mutable std::unique_ptr<LoopThreads> pool_;
  mutable std::mutex pool_mutex_;
  std::unique_ptr<WeightView> embeddings_;
  LayerNormParameters embeddings_norm_;
  AlignedBuffer<uint8_t> packed_;  // the int8 weights of all layers that are not used in place, one after the other
  size_t packed_used_ = 0;
  size_t int8_bytes_ = 0;  // of all layers, wherever they lie
  std::vector<BlockParameters> blocks_;
  LayerNormParameters final_norm_;
  std::vector<float> slopes_;
  size_t bytes_ = 0;
  struct PendingPack {
    Int8Linear* linear;
    WeightView weight;
  };
  std::vector<PendingPack> pending_;  // during construction only
  mutable std::mutex workspace_mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> workspaces_;
};

}  // namespace lacos

#endif  // LACOS_MODEL_H_
