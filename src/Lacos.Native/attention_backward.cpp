#include "attention_backward.h"

#include <algorithm>
#include <cmath>

#include "training_kernels.h"

namespace lacos {
namespace {

constexpr int kQueriesAtOnce = 48;
static_assert(kQueriesAtOnce <= kFloatColumnsMost, "queries are turned at once");
constexpr size_t kScorePadding = 64;

size_t RoundUp(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// The head at work: sizes, and products over its scratch.
struct Work {
  const KernelSet& kernels;
  const AttentionBackwardHead& head;
  AttentionBackwardScratch& scratch;
  const FloatGemmKernel& gemm;
  int width;
  size_t row;     // floats from token to token in the scratch
  size_t scores;  // floats from query to query

  int Vectors(int columns) const { return (std::min(width, columns) + gemm.lanes - 1) / gemm.lanes; }

  // to[size, to_stride] = from[count, size]^T.
  void Columns(const float* from, size_t stride, int count, int size, float* to, int to_stride) const {
    const float* rows[kFloatColumnsMost];
    for (int i = 0; i < count; i++) rows[i] = from + stride * i;
    kernels.vector->transpose(rows, count, size, to, static_cast<size_t>(to_stride));
  }

  void Transpose(const float* from, float* panels) const {
    for (int first = 0; first < head.tokens; first += width) {
      Columns(from + row * first, row, std::min(width, head.tokens - first), head.head_size,
              panels + static_cast<size_t>(first) * head.head_size, width);
    }
  }

  // to[rows, seen] = from[rows, head_size] * panels.
  void TimesPanels(const float* from, size_t stride, int rows, int seen, const float* panels, float* to) const {
    for (int i = 0; i < rows; i += gemm.rows) {
      for (int j = 0; j < seen; j += width) {
        gemm.tile({std::min(gemm.rows, rows - i), Vectors(seen - j), head.head_size, false, from + stride * i, stride,
                   panels + static_cast<size_t>(j) * head.head_size, static_cast<size_t>(width), to + scores * i + j,
                   scores});
      }
    }
  }

  // sums[seen, head_size] += from[queries, seen]^T * to[queries, head_size].
  void AddTransposed(const float* from, int queries, int seen, const float* to, size_t stride, float* sums) const {
    float* turned = scratch.transposed.data();
    Columns(from, scores, queries, seen, turned, kQueriesAtOnce);
    for (int j = 0; j < seen; j += gemm.rows) {
      for (int d = 0; d < head.head_size; d += width) {
        gemm.tile({std::min(gemm.rows, seen - j), Vectors(head.head_size - d), queries, true,
                   turned + static_cast<size_t>(j) * kQueriesAtOnce, kQueriesAtOnce, to + d, stride, sums + row * j + d,
                   row});
      }
    }
  }

  // The gradients of the queries first..first + rows, from slopes[rows, seen] and the keys.
  void QueryGradient(int first, int rows, int seen) const {
    for (int i = 0; i < rows; i += gemm.rows) {
      const int here = std::min(gemm.rows, rows - i);
      for (int d = 0; d < head.head_size; d += width) {
        gemm.tile({here, Vectors(head.head_size - d), seen, false, scratch.slopes.data() + scores * i, scores,
                   scratch.key.data() + d, row, scratch.out.data(), static_cast<size_t>(width)});
        for (int r = 0; r < here; r++) {
          std::copy_n(scratch.out.data() + static_cast<size_t>(width) * r, std::min(width, head.head_size - d),
                      head.qkv_gradient + head.stride * (first + i + r) + d);
        }
      }
    }
  }

  void Block(int first, int rows) const {
    const int seen = first + rows;
    const int padded = static_cast<int>(RoundUp(seen, 16));
    const float scale = 1.0f / std::sqrt(static_cast<float>(head.head_size));
    const float* context_gradient = head.context_gradient + head.gradient_stride * first;
    float* weights = scratch.weights.data();
    float* slopes = scratch.slopes.data();
    TimesPanels(scratch.query.data() + row * first, row, rows, seen, scratch.keys.data(), weights);
    TimesPanels(context_gradient, head.gradient_stride, rows, seen, scratch.values.data(), slopes);
    for (int i = 0; i < rows; i++) {
      float* p = weights + scores * i;
      const float inverse = kernels.vector->softmax(p, first + i + 1, padded, scale, head.slope);
      kernels.vector->scale(p, first + i + 1, inverse, p);
      kernels.training->softmax_backward(p, first + i + 1, padded, scale, slopes + scores * i);
    }
    QueryGradient(first, rows, seen);
    AddTransposed(slopes, rows, seen, scratch.query.data() + row * first, row, scratch.key_gradient.data());
    AddTransposed(weights, rows, seen, context_gradient, head.gradient_stride, scratch.value_gradient.data());
  }
};

}  // namespace

void AttentionBackwardScratch::Reserve(const FloatGemmKernel& gemm, int tokens, int head_size) {
  const size_t width = static_cast<size_t>(gemm.columns);
  const size_t rows = static_cast<size_t>(tokens) * RoundUp(head_size, width);
  for (AlignedBuffer<float>* buffer : {&query, &key, &value, &key_gradient, &value_gradient}) buffer->Reserve(rows);
  keys.Reserve(RoundUp(tokens, width) * head_size);
  values.Reserve(RoundUp(tokens, width) * head_size);
  weights.Reserve(RoundUp(tokens, kScorePadding) * kQueriesAtOnce);
  slopes.Reserve(RoundUp(tokens, kScorePadding) * kQueriesAtOnce);
  transposed.Reserve(static_cast<size_t>(tokens) * kQueriesAtOnce);
  out.Reserve(width * gemm.rows);
}

void RunAttentionHeadBackward(const KernelSet& kernels, const AttentionBackwardHead& head,
                              AttentionBackwardScratch& scratch) {
  const FloatGemmKernel& gemm = *kernels.float_gemm;
  const Work work{kernels,
                  head,
                  scratch,
                  gemm,
                  gemm.columns,
                  RoundUp(head.head_size, gemm.columns),
                  RoundUp(head.tokens, kScorePadding)};
  const int size = head.head_size;
  for (int j = 0; j < head.tokens; j++) {
    const uint16_t* from = head.query + head.stride * j;
    kernels.training->unpack(from, size, scratch.query.data() + work.row * j);
    kernels.training->unpack(from + size, size, scratch.key.data() + work.row * j);
    kernels.training->unpack(from + 2 * size, size, scratch.value.data() + work.row * j);
  }
  work.Transpose(scratch.key.data(), scratch.keys.data());
  work.Transpose(scratch.value.data(), scratch.values.data());
  std::fill_n(scratch.key_gradient.data(), work.row * head.tokens, 0.0f);
  std::fill_n(scratch.value_gradient.data(), work.row * head.tokens, 0.0f);
  for (int first = 0; first < head.tokens; first += kQueriesAtOnce) {
    work.Block(first, std::min(kQueriesAtOnce, head.tokens - first));
  }
  for (int j = 0; j < head.tokens; j++) {
    float* to = head.qkv_gradient + head.stride * j;
    std::copy_n(scratch.key_gradient.data() + work.row * j, size, to + size);
    std::copy_n(scratch.value_gradient.data() + work.row * j, size, to + 2 * size);
  }
}

}  // namespace lacos
