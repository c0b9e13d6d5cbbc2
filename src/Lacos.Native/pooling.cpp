#include "pooling.h"

#include <algorithm>
#include <cmath>

#include "lacos_native.h"

namespace lacos {
namespace {

// The tokens that are pooled.
struct Tokens {
  const TokenRows& rows;
  int from;
  int count;
  int hidden;

  const float* operator[](int i) const { return rows[from + i]; }
};

// first_weight 0: all weights are 1; else they count up from it.
void Sum(const Tokens& tokens, int first_weight, float* y) {
  std::fill_n(y, tokens.hidden, 0.0f);
  for (int i = 0; i < tokens.count; i++) {
    const float weight = first_weight > 0 ? static_cast<float>(first_weight + i) : 1.0f;
    const float* token = tokens[i];
    for (int d = 0; d < tokens.hidden; d++) y[d] += token[d] * weight;
  }
}

void Divide(float* y, int hidden, float by) {
  for (int d = 0; d < hidden; d++) y[d] /= by;
}

void Largest(const Tokens& tokens, float* y) {
  std::copy_n(tokens[0], tokens.hidden, y);
  for (int i = 1; i < tokens.count; i++) {
    const float* token = tokens[i];
    for (int d = 0; d < tokens.hidden; d++) y[d] = y[d] < token[d] ? token[d] : y[d];
  }
}

}  // namespace

int PoolingModeCount(int32_t modes) {
  int count = 0;
  for (; modes != 0; modes &= modes - 1) count++;
  return count;
}

void Pool(const Pooling& pooling, const TokenRows& tokens, int count, int from, float* buffer, float* y) {
  const int hidden = pooling.hidden;
  const Tokens pooled{tokens, from, count - from, hidden};
  count = pooled.count;
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
        std::copy_n(pooled[0], hidden, to);
        break;
      case LACOS_POOL_MAX:
        Largest(pooled, to);
        break;
      case LACOS_POOL_MEAN:
        Sum(pooled, 0, to);
        Divide(to, hidden, n);
        break;
      case LACOS_POOL_MEAN_SQRT:
        Sum(pooled, 0, to);
        Divide(to, hidden, std::sqrt(n));
        break;
      case LACOS_POOL_WEIGHTED_MEAN:
        Sum(pooled, from + 1, to);
        Divide(to, hidden, static_cast<float>(0.5 * count * (2.0 * from + count + 1.0)));
        break;
      default:
        std::copy_n(pooled[count - 1], hidden, to);
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
