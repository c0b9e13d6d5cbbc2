// Token vectors of one sentence to one vector.
#ifndef LACOS_POOLING_H_
#define LACOS_POOLING_H_

#include <cstdint>

#include "token_rows.h"

namespace lacos {

struct Pooling {
  int32_t modes;  // LACOS_POOL_* flags
  int hidden;
  int dimension;  // leading elements kept, before normalising
  bool normalize;
};

int PoolingModeCount(int32_t modes);

// tokens: vectors of `hidden` floats, of which the first `from` are left out. A token keeps the weight of its position
// in the whole sentence, left-out tokens counted, as the reference does with a prompt that is not pooled. buffer:
// PoolingModeCount * hidden floats. y: [dimension]. Nothing left gives zeros.
void Pool(const Pooling& pooling, const TokenRows& tokens, int count, int from, float* buffer, float* y);

}  // namespace lacos

#endif  // LACOS_POOLING_H_
