#include "lora_adapter.h"

#include <algorithm>

namespace lacos {
namespace {

// Tokens whose values a thread packs at once.
constexpr int kTokensAtOnce = 256;

size_t RoundUp(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

void Pad(const float* from, int rows, int columns, size_t stride, AlignedBuffer<float>& to) {
  to.Reserve(stride * rows);
  for (int i = 0; i < rows; i++) {
    std::copy_n(from + static_cast<size_t>(i) * columns, columns, to.data() + stride * i);
    std::fill_n(to.data() + stride * i + columns, stride - columns, 0.0f);
  }
}

void Transpose(const float* from, int rows, int columns, size_t stride, AlignedBuffer<float>& to) {
  to.Reserve(stride * columns);
  std::fill_n(to.data(), stride * columns, 0.0f);
  for (int i = 0; i < rows; i++) {
    for (int j = 0; j < columns; j++) to[stride * j + i] = from[static_cast<size_t>(i) * columns + j];
  }
}

// The width of a panel is a multiple of 16; a call to copy so little would take longer than the copy.
inline void CopyPanelRow(const float* from, int width, float* to) {
  for (int i = 0; i < width; i += 16) {
    for (int j = 0; j < 16; j++) to[i + j] = from[i + j];
  }
}

}  // namespace

void Multiply(const FloatGemmKernel& gemm, const SmallProduct& p, float* tile) {
  for (int j = 0; j < p.columns; j += gemm.columns) {
    const int columns = std::min(gemm.columns, p.columns - j);
    const int vectors = (columns + gemm.lanes - 1) / gemm.lanes;
    const bool whole = columns % gemm.lanes == 0;
    for (int i = 0; i < p.rows; i += gemm.rows) {
      const int rows = std::min(gemm.rows, p.rows - i);
      float* c = p.c + p.c_stride * i + j;
      const size_t stride = whole ? p.c_stride : static_cast<size_t>(gemm.columns);
      for (int r = 0; !whole && p.accumulate && r < rows; r++)
        std::copy_n(c + p.c_stride * r, columns, tile + stride * r);
      gemm.tile({rows, vectors, p.k, p.accumulate, p.a + p.a_stride * i, p.a_stride, p.b + j, p.b_stride,
                 whole ? c : tile, stride});
      for (int r = 0; !whole && r < rows; r++) std::copy_n(tile + stride * r, columns, c + p.c_stride * r);
    }
  }
}

void PreparedAdapter::Set(const FloatGemmKernel& gemm, const lacos_adapter& adapter, int inputs, int outputs) {
  gemm_ = &gemm;
  rank_ = adapter.rank;
  inputs_ = inputs;
  outputs_ = outputs;
  scale_ = adapter.scale;
  if (rank_ == 0) return;
  const size_t width = static_cast<size_t>(gemm.columns);
  input_stride_ = RoundUp(inputs, width);
  output_stride_ = RoundUp(outputs, width);
  rank_stride_ = RoundUp(rank_, width);
  Pad(adapter.a, rank_, inputs, input_stride_, a_);
  Transpose(adapter.a, rank_, inputs, rank_stride_, a_transposed_);
  Pad(adapter.b, outputs, rank_, rank_stride_, b_);
  Transpose(adapter.b, outputs, rank_, output_stride_, b_transposed_);
}

void PreparedAdapter::Scale(int rows, float* low) const {
  for (int i = 0; i < rows * rank_; i++) low[i] *= scale_;
}

void PreparedAdapter::Down(int rows, const float* x, size_t x_stride, float* low, float* tile) const {
  const size_t rank = static_cast<size_t>(rank_);
  Multiply(*gemm_, {rows, rank_, inputs_, false, x, x_stride, a_transposed_.data(), rank_stride_, low, rank}, tile);
  Scale(rows, low);
}

void PreparedAdapter::Up(int rows, const float* low, bool accumulate, float* y, size_t y_stride, float* tile) const {
  const size_t rank = static_cast<size_t>(rank_);
  Multiply(*gemm_, {rows, outputs_, rank_, accumulate, low, rank, b_transposed_.data(), output_stride_, y, y_stride},
           tile);
}

void PreparedAdapter::DownBackward(int rows, const float* dy, size_t dy_stride, float* low, float* tile) const {
  const size_t rank = static_cast<size_t>(rank_);
  Multiply(*gemm_, {rows, rank_, outputs_, false, dy, dy_stride, b_.data(), rank_stride_, low, rank}, tile);
  Scale(rows, low);
}

void PreparedAdapter::UpBackward(int rows, const float* low, float* dx, size_t dx_stride, float* tile) const {
  const size_t rank = static_cast<size_t>(rank_);
  Multiply(*gemm_, {rows, inputs_, rank_, false, low, rank, a_.data(), input_stride_, dx, dx_stride}, tile);
}

void SumOverTokens(const FloatGemmKernel& gemm, LoopRunner& runner, OverTokensScratch& scratch, const OverTokens& s) {
  const int width = gemm.columns;
  const size_t threads = static_cast<size_t>(runner.thread_count());
  scratch.panels.resize(std::max(scratch.panels.size(), threads));
  scratch.sums.resize(scratch.panels.size());
  for (auto& buffer : scratch.panels) buffer.Reserve(static_cast<size_t>(kTokensAtOnce) * width);
  for (auto& buffer : scratch.sums) buffer.Reserve(static_cast<size_t>(s.rank) * width);
  scratch.transposed.Reserve(static_cast<size_t>(s.rank) * s.m);
  float* low = scratch.transposed.data();
  runner.For((s.m + kTokensAtOnce - 1) / kTokensAtOnce, [&](int task, int) {
    for (int token = task * kTokensAtOnce; token < std::min(s.m, (task + 1) * kTokensAtOnce); token++) {
      for (int i = 0; i < s.rank; i++) {
        low[static_cast<size_t>(i) * s.m + token] = s.low[static_cast<size_t>(token) * s.rank + i];
      }
    }
  });
  runner.For((s.columns + width - 1) / width, [&](int task, int thread) {
    const int first = task * width;
    float* panel = scratch.panels[thread].data();
    float* sums = scratch.sums[thread].data();
    for (int token = 0; token < s.m; token += kTokensAtOnce) {
      const int tokens = std::min(kTokensAtOnce, s.m - token);
      for (int t = 0; t < tokens; t++) {
        CopyPanelRow(s.x + s.x_stride * (token + t) + first, width, panel + static_cast<size_t>(t) * width);
      }
      for (int i = 0; i < s.rank; i += gemm.rows) {
        gemm.tile({std::min(gemm.rows, s.rank - i), width / gemm.lanes, tokens, token > 0,
                   low + static_cast<size_t>(i) * s.m + token, static_cast<size_t>(s.m), panel,
                   static_cast<size_t>(width), sums + static_cast<size_t>(i) * width, static_cast<size_t>(width)});
      }
    }
    for (int i = 0; i < s.rank; i++) {
      float* to = s.to + s.rank_step * i + s.column_step * first;
      for (int j = 0; j < std::min(width, s.columns - first); j++) {
        to[s.column_step * j] = sums[static_cast<size_t>(i) * width + j];
      }
    }
  });
}

}  // namespace lacos
