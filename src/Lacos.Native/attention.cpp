#include "attention.h"

#include <algorithm>
#include <cmath>

namespace lacos {
namespace {
constexpr size_t kScorePadding = 64;
constexpr size_t kPanelColumns = 16;  // of which panels of keys are multiples

size_t RoundUp(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }
}  // namespace

// Powers of a base that is fp32 already, taken in fp32: as the reference (build_alibi_tensor of transformers) and
// Alibi.cs, whose bits these are.
std::vector<float> AlibiSlopes(int heads) {
  int whole = 1;
  while (whole * 2 <= heads) whole *= 2;
  const float main = static_cast<float>(std::pow(2.0, -8.0 / whole));
  const float between = static_cast<float>(std::pow(2.0, -4.0 / whole));
  std::vector<float> slopes;
  for (int i = 1; i <= whole; i++) slopes.push_back(std::pow(main, static_cast<float>(i)));
  for (int i = 0; i < heads - whole; i++) slopes.push_back(std::pow(between, static_cast<float>(2 * i + 1)));
  return slopes;
}

void AttentionScratch::Reserve(const FloatGemmKernel& gemm, int tokens, int head_size) {
  const size_t width = static_cast<size_t>(gemm.columns);
  keys.Reserve(RoundUp(tokens, width) * head_size);
  values.Reserve(static_cast<size_t>(tokens) * head_size + width);
  scores.Reserve(RoundUp(tokens, kScorePadding) * gemm.rows);
  out.Reserve(width * gemm.rows);
}

void RunAttentionHead(const KernelSet& kernels, const AttentionHead& head, AttentionScratch& scratch) {
  const FloatGemmKernel& gemm = *kernels.float_gemm;
  const int width = gemm.columns;
  const int size = head.head_size;
  if (head.shared == head.tokens) return;
  const TokenRows tokens{head.query, head.stride, head.rows, head.prompt};
  // A short sentence has one narrow panel.
  const int panel = std::min(width, static_cast<int>(RoundUp(head.tokens, kPanelColumns)));
  float* keys = scratch.keys.data();
  for (int first = 0; first < head.tokens; first += panel) {
    const float* rows[kFloatColumnsMost];
    const int count = std::min(panel, head.tokens - first);
    for (int i = 0; i < count; i++) rows[i] = tokens[first + i] + size;
    kernels.vector->transpose(rows, count, size, keys + static_cast<size_t>(first) * size, static_cast<size_t>(panel));
  }
  const float* value = tokens[0] + 2 * size;
  size_t value_stride = head.stride;
  if (head.shared > 0) {
    float* values = scratch.values.data();
    for (int j = 0; j < head.tokens; j++)
      std::copy_n(tokens[j] + 2 * size, size, values + static_cast<size_t>(j) * size);
    value = values;
    value_stride = static_cast<size_t>(size);
  }
  // Of a token's row; those behind the shared ones are consecutive.
  const int own = head.rows == nullptr ? 0 : head.rows[head.shared] - head.shared;
  const size_t score_stride = RoundUp(head.tokens, kScorePadding);
  const float scale = 1.0f / std::sqrt(static_cast<float>(size));
  float* scores = scratch.scores.data();
  float* out = scratch.out.data();
  for (int first = head.shared; first < head.tokens; first += gemm.rows) {
    const int rows = std::min(gemm.rows, head.tokens - first);
    const int seen = first + rows;
    for (int j = 0; j < seen; j += width) {
      const int vectors = (std::min(width, seen - j) + gemm.lanes - 1) / gemm.lanes;
      gemm.tile({rows, vectors, size, false, tokens[first], head.stride, keys + static_cast<size_t>(j) * size,
                 static_cast<size_t>(panel), scores + j, score_stride});
    }
    float inverse[16];
    const int padded = static_cast<int>(RoundUp(seen, 16));
    for (int i = 0; i < rows; i++) {
      inverse[i] = kernels.vector->softmax(scores + score_stride * i, first + i + 1, padded, scale, head.slope);
    }
    for (int d = 0; d < size; d += width) {
      const int columns = std::min(width, size - d);
      gemm.tile({rows, (columns + gemm.lanes - 1) / gemm.lanes, seen, false, scores, score_stride, value + d,
                 value_stride, out, static_cast<size_t>(width)});
      for (int i = 0; i < rows; i++) {
        kernels.vector->scale(out + static_cast<size_t>(width) * i, columns, inverse[i],
                              head.context + head.context_stride * static_cast<size_t>(own + first + i) + d);
      }
    }
  }
}

}  // namespace lacos
