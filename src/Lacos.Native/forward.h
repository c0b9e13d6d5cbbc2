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
    int rows;     // fewer than tokens where sentences share some
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
  // Of the batch's only sentence, which is the prompt.
  void RunPrompt(Prompt& prompt);

 private:
  void Embed();
  void Block(int index);
  void Normalize(const LayerNormParameters& norm, const LinearLayer& next);
  void Attend(int block);
  void Prepare(const float* x, size_t stride, const LinearLayer& next);
  void PrepareWithOutliers(const float* x, size_t stride, const LinearLayer& next);
  void Apply(const LinearLayer& layer, const float* x, size_t stride, const LinearOutput& output,
             const LinearLayer* following);
  void FinalNorm(float* y);
  int Tokens(int sentence) const { return batch_.offsets[sentence + 1] - batch_.offsets[sentence]; }
  // Rows of a sentence: consecutive from the first, or where some are shared, those that RowsOf names from row 0 on.
  int FirstRow(int sentence) const { return shared_ != nullptr ? 0 : batch_.offsets[sentence] - batch_.offsets[0]; }
  const int32_t* RowsOf(int sentence) const { return shared_ == nullptr ? nullptr : shared_->of(sentence); }

  const Model& model_;
  Workspace& w_;
  LoopRunner& runner_;
  TokenBatch batch_;
  Prompt* kept_;              // where the batch is a prompt that is computed
  const SharedRows* shared_;  // null where each token has a row of its own
  const int32_t* ids_;        // of each row
  int rows_;
  int hidden_;
  size_t qkv_stride_;
  size_t feed_stride_;
  bool int8_;
  bool outliers_;
  bool keep_normed_;
};

}  // namespace lacos

#endif  // LACOS_FORWARD_H_
