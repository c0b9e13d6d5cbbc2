#include <algorithm>

#include "linear.h"
#include "linear_blocking.h"

namespace lacos {
namespace {
constexpr int kDepth = 256;  // columns of k dequantised at once
}

FloatLinear::FloatLinear(const KernelSet& kernels, WeightView weight, std::vector<float> bias)
    : kernels_(&kernels), weight_(std::move(weight)) {
  const size_t width = static_cast<size_t>(kernels.float_gemm->columns);
  const size_t padded = (bias.size() + width - 1) / width * width;
  bias_.Reserve(padded);
  std::fill_n(bias_.data(), padded, 0.0f);
  std::copy(bias.begin(), bias.end(), bias_.data());
}

void FloatLinear::Run(LoopRunner& runner, LinearScratch& scratch, const float* x, size_t x_stride, int m,
                      const LinearOutput& output) const {
  const FloatGemmKernel& gemm = *kernels_->float_gemm;
  const int width = gemm.columns;
  const int panels = (rows() + width - 1) / width;
  const int row_block = RowBlock(m, kRowBlockMaximum, gemm.rows, panels, runner.thread_count());
  const int blocks = (m + row_block - 1) / row_block;
  runner.For(blocks * panels, [&](int task, int thread) {
    const int first_row = task / panels * row_block;
    const int block_rows = std::min(row_block, m - first_row);
    const int column = task % panels * width;
    const int columns_here = std::min(width, rows() - column);
    float* panel = scratch.panels[thread].data();
    float* sums = scratch.sums[thread].data();
    if (columns_here < width) std::fill_n(panel, static_cast<size_t>(width) * kDepth, 0.0f);
    for (int k = 0; k < columns(); k += kDepth) {
      const int depth = std::min(kDepth, columns() - k);
      for (int j = 0; j < columns_here; j++) weight_.Dequantize(column + j, k, depth, panel + j, width);
      for (int row = 0; row < block_rows; row += gemm.rows) {
        gemm.tile({std::min(gemm.rows, block_rows - row), width / gemm.lanes, depth, k > 0,
                   x + x_stride * (first_row + row) + k, x_stride, panel, static_cast<size_t>(width),
                   sums + static_cast<size_t>(row) * width, static_cast<size_t>(width)});
      }
    }
    const float* residual = output.residual;
    if (residual != nullptr) residual += output.residual_stride * first_row + column;
    kernels_->vector->finish({block_rows, columns_here, width, nullptr, sums, nullptr, nullptr, nullptr,
                              bias_.data() + column, nullptr, output.gelu, residual, output.residual_stride,
                              output.y + output.y_stride * first_row + column, output.y_stride});
  });
}

}  // namespace lacos
