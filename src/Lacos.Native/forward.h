// One pass of a batch through the layers.
#ifndef LACOS_FORWARD_H_
#define LACOS_FORWARD_H_

#include "model.h"

namespace lacos {

class Forward {
 public:
  // What the largest batch that a workspace will see needs.
  struct Size {
    int tokens;
    int longest;  // tokens of a sentence
    int sentences;
  };

  // Makes room, so that no run on up to `threads` threads allocates.
  static void Reserve(const Model& model, Workspace& workspace, int threads, const Size& size);

  // The workspace has room already.
  Forward(const Model& model, Workspace& workspace, LoopRunner& runner, const TokenBatch& batch);

  // Final layer norm of every token, [tokens, hidden].
  void Run(float* hidden_states);
  void RunPooled(const int32_t* pool_from, const Pooling& pooling, float* vectors);

 private:
  void Embed();
  void Block(const BlockParameters& block);
  void Normalize(const LayerNormParameters& norm, const LinearLayer& next);
  void Attend();
  void Prepare(const float* x, size_t stride, const LinearLayer& next);
  void PrepareWithOutliers(const float* x, size_t stride, const LinearLayer& next);
  void Apply(const LinearLayer& layer, const float* x, size_t stride, const LinearOutput& output);
  void FinalNorm(float* y);
  template <class Function>
  void ForRows(int cost, const Function& function);

  const Model& model_;
  Workspace& w_;
  LoopRunner& runner_;
  TokenBatch batch_;
  int tokens_;
  int hidden_;
  size_t qkv_stride_;
  size_t feed_stride_;
  bool int8_;
  bool outliers_;
  bool keep_normed_;
};

}  // namespace lacos

#endif  // LACOS_FORWARD_H_
