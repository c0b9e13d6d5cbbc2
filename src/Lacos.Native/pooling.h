// Token vectors of one sentence to one vector.
#ifndef LACOS_POOLING_H_
#define LACOS_POOLING_H_

#include <cstdint>

namespace lacos {

struct Pooling {
  int32_t modes;  // LACOS_POOL_* flags
  int hidden;
  int dimension;  // leading elements kept, before normalising
  bool normalize;
};

int PoolingModeCount(int32_t modes);

// tokens: the pooled tokens [count, hidden]. buffer: PoolingModeCount * hidden floats. y: [dimension]. No tokens:
// zeros.
void Pool(const Pooling& pooling, const float* tokens, int count, float* buffer, float* y);

}  // namespace lacos

#endif  // LACOS_POOLING_H_
