#include "prompt.h"

#include "linear_blocking.h"
#include "model.h"
#include "status.h"

namespace lacos {

Prompt::Prompt(const Model& model, const int32_t* ids, int tokens)
    : model_id_(model.id()), ids_(ids, ids + tokens), block_size_(RowStride(3 * model.hidden()) * tokens) {
  if (model.has_outliers()) {
    Fail(LACOS_INVALID_ARGUMENT,
         "The model runs with an outlier threshold; which columns are outliers depends on whole sentences, so a prompt "
         "cannot be computed ahead of them.");
  }
  blocks_.Reserve(block_size_ * model.layers());
  states_.Reserve(static_cast<size_t>(model.hidden()) * tokens);
  model.Compute(*this);
}

}  // namespace lacos
