#include "pooling.h"

#include <algorithm>
#include <cmath>

#include "lacos_native.h"

namespace lacos {
namespace {

// first_weight 0: all weights are 1; else they count up from it.
void Sum(const float* tokens, int count, int hidden, int first_weight, float* y) {
  std::fill_n(y, hidden, 0.0f);
  for (int i = 0; i < count; i++) {
    const float weight = first_weight > 0 ? static_cast<float>(first_weight + i) : 1.0f;
    const float* token = tokens + static_cast<size_t>(i) * hidden;
    for (int d = 0; d < hidden; d++) y[d] += token[d] * weight;
  }
}

void Divide(float* y, int hidden, float by) {
  for (int d = 0; d < hidden; d++) y[d] /= by;
}

void Largest(const float* tokens, int count, int hidden, float* y) {
  std::copy_n(tokens, hidden, y);
  for (int i = 1; i < count; i++) {
    const float* token = tokens + static_cast<size_t>(i) * hidden;
    for (int d = 0; d < hidden; d++) y[d] = y[d] < token[d] ? token[d] : y[d];
  }
}

}  // namespace

int PoolingModeCount(int32_t modes) {
  int count = 0;
  for (; modes != 0; modes &= modes - 1) count++;
  return count;
}

void Pool(const Pooling& pooling, const float* tokens, int count, int from, float* buffer, float* y) {
  const int hidden = pooling.hidden;
  tokens += static_cast<size_t>(from) * hidden;
  count -= from;
  if (count <= 0) {
    std::fill_n(y, pooling.dimension, 0.0f);
    return;
  }
  float* to = buffer;
  for (int32_t mode = LACOS_POOL_FIRST; mode <= LACOS_POOL_LAST; mode *= 2) {
    if ((pooling.modes & mode) == 0) continue;
    const float n = static_cast<float>(count);
    switch (mode) {
      case LACOS_POOL_FIRST:
        std::copy_n(tokens, hidden, to);
        break;
      case LACOS_POOL_MAX:
        Largest(tokens, count, hidden, to);
        break;
      case LACOS_POOL_MEAN:
        Sum(tokens, count, hidden, 0, to);
        Divide(to, hidden, n);
        break;
      case LACOS_POOL_MEAN_SQRT:
        Sum(tokens, count, hidden, 0, to);
        Divide(to, hidden, std::sqrt(n));
        break;
      case LACOS_POOL_WEIGHTED_MEAN:
        Sum(tokens, count, hidden, from + 1, to);
        Divide(to, hidden, static_cast<float>(0.5 * count * (2.0 * from + count + 1.0)));
        break;
      default:
        std::copy_n(tokens + static_cast<size_t>(count - 1) * hidden, hidden, to);
    }
    to += hidden;
  }
  std::copy_n(buffer, pooling.dimension, y);
  if (!pooling.normalize) return;
  double squares = 0;
  for (int d = 0; d < pooling.dimension; d++) squares += static_cast<double>(y[d]) * y[d];
  // The floor of torch.nn.functional.normalize.
  Divide(y, pooling.dimension, static_cast<float>(std::max(std::sqrt(squares), 1e-12)));
}

}  // namespace lacos
