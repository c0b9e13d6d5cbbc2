#include "input_gradient.h"

#include <algorithm>
#include <cstring>

#include "linear_blocking.h"
#include "panel_transpose.h"
#include "training_kernels.h"

namespace lacos {
namespace {

// Outputs whose weights are transposed at once (32 KiB for 64 columns, 16 KiB for 16), and rows that then use them:
// enough to make the transposition a few per cent of the product, few enough that codes and sums stay in the
// second-level cache.
constexpr int OutputsAtOnce(int columns) { return columns <= 16 ? 1024 : 512; }
static_assert(OutputsAtOnce(16) % kExcessColumns == 0 && OutputsAtOnce(64) % kExcessColumns == 0,
              "lists of excess codes must not straddle blocks");
constexpr int kRowsAtOnce = 768;
// Outputs dequantised at once, and the rows that use them.
constexpr int kFloatOutputsAtOnce = 256;
constexpr int kFloatRowsAtOnce = 384;

// Of each panel so little is transposed at once that no prefetcher sees it coming.
constexpr int kPanelsAhead = 6;

// Equal blocks of whole tiles, at most `limit` rows each, and blocks enough for all threads.
int RowsOfBlock(int m, int limit, int tile, int column_blocks, int threads) {
  int blocks = (m + limit - 1) / limit;
  while (blocks * column_blocks < threads * 2 && m / (blocks + 1) >= 8 * tile) blocks++;
  const int rows = (m + blocks - 1) / blocks;
  return (rows + tile - 1) / tile * tile;
}

void Reserve(GradientScratch& scratch, int threads, size_t weights, size_t sums, size_t width) {
  scratch.weights.resize(std::max(scratch.weights.size(), static_cast<size_t>(threads)));
  scratch.sums.resize(scratch.weights.size());
  scratch.excess.resize(scratch.weights.size());
  for (auto& buffer : scratch.weights) buffer.Reserve(weights);
  for (auto& buffer : scratch.sums) buffer.Reserve(sums);
  scratch.ones.Reserve(width);
  scratch.zeros.Reserve(width);
  std::fill_n(scratch.ones.data(), width, 1.0f);
  std::fill_n(scratch.zeros.data(), width, 0.0f);
}

}  // namespace

void QuantizeGradientRow(const KernelSet& kernels, const Int8Linear& linear, int row, const float* gradient,
                         float* scaled, QuantizedRows& rows) {
  const int n = linear.rows();
  const int padded = linear.panel_count() * kernels.int8_gemm->columns;
  kernels.training->multiply(gradient, linear.column_scales(), n, scaled);
  rows.Set(kernels, row, scaled, n);
  std::memset(rows.codes.data() + rows.stride * row + n, 0, static_cast<size_t>(padded - n));
}

void QuantizedInputGradient(const KernelSet& kernels, const Int8Linear& linear, LoopRunner& runner,
                            GradientScratch& scratch, const float* gradient, int m, float* dx) {
  const size_t n = static_cast<size_t>(linear.rows());
  scratch.scaled.resize(std::max(scratch.scaled.size(), static_cast<size_t>(runner.thread_count())));
  for (auto& buffer : scratch.scaled) buffer.Reserve(n + 16);
  linear.ReserveGradientRows(scratch.rows, m);
  runner.For(m, [&](int row, int thread) {
    QuantizeGradientRow(kernels, linear, row, gradient + n * row, scratch.scaled[thread].data(), scratch.rows);
  });
  InputGradientProduct(kernels, linear, runner, scratch, m, dx, static_cast<size_t>(linear.columns()));
}

void InputGradientProduct(const KernelSet& kernels, const Int8Linear& linear, LoopRunner& runner,
                          GradientScratch& scratch, int m, float* dx, size_t dx_stride) {
  const Int8GemmKernel& gemm = *kernels.int8_gemm;
  const int width = gemm.columns;
  const int k = linear.columns();
  const int column_blocks = (k + width - 1) / width;
  const int rows_a_block = RowsOfBlock(m, kRowsAtOnce, gemm.rows, column_blocks, runner.thread_count());
  const int panels_at_once = OutputsAtOnce(width) / width;
  const int band_rows = TilesOfBand(gemm.rows) * gemm.rows;
  const size_t square = static_cast<size_t>(width) * width;
  Reserve(scratch, runner.thread_count(), square * panels_at_once, static_cast<size_t>(rows_a_block) * width,
          static_cast<size_t>(width));
  const int row_blocks = (m + rows_a_block - 1) / rows_a_block;
  const uint64_t run = ++scratch.runs;
  runner.For(row_blocks * column_blocks, [&](int task, int thread) {
    const int first_row = task / column_blocks * rows_a_block;
    const int rows = std::min(rows_a_block, m - first_row);
    const int column = task % column_blocks * width;
    const int columns = std::min(width, k - column);
    const int whole_groups = (columns + gemm.k_group - 1) / gemm.k_group * gemm.k_group;
    uint8_t* weights = scratch.weights[thread].data();
    int32_t* sums = reinterpret_cast<int32_t*>(scratch.sums[thread].data());
    const ExcessBands& excess = scratch.excess[thread].Of(
        run, first_row, scratch.rows.excess, [&](int, int row) { return std::min(band_rows, rows - row); });
    for (int first = 0; first < linear.panel_count(); first += panels_at_once) {
      const int panels = std::min(panels_at_once, linear.panel_count() - first);
      for (int p = 0; p < panels; p++) {
        const size_t here = static_cast<size_t>(column) * width;
        if (first + p + kPanelsAhead < linear.panel_count()) {
          FetchPanel(gemm, linear.panel(first + p + kPanelsAhead) + here, whole_groups);
        }
        TransposePanel(gemm, linear.panel(first + p) + here, whole_groups, weights + square * p);
      }
      const size_t at = static_cast<size_t>(first) * width;
      const int groups = panels * width / gemm.k_group;
      for (int band_row = 0; band_row < rows; band_row += band_rows) {
        const int last_row = std::min(rows, band_row + band_rows);
        for (int row = band_row; row < last_row; row += gemm.rows) {
          gemm.tile({std::min(gemm.rows, last_row - row), groups, first > 0,
                     scratch.rows.codes.data() + scratch.rows.stride * (first_row + row) + at, scratch.rows.stride,
                     weights, sums + static_cast<size_t>(row) * width, weights, 0, scratch.rows.excess.is_split()});
        }
        excess.AddTo(sums + static_cast<size_t>(band_row) * width, gemm, band_row / band_rows, first * width,
                     panels * width, weights);
      }
    }
    kernels.vector->finish({rows, columns, width, sums, nullptr, scratch.rows.offsets.data() + first_row,
                            scratch.rows.scales.data() + first_row, scratch.ones.data(), scratch.zeros.data(), nullptr,
                            false, nullptr, 0, dx + dx_stride * first_row + column, dx_stride});
  });
}

void FloatInputGradient(const KernelSet& kernels, const Int8Linear& linear, LoopRunner& runner,
                        GradientScratch& scratch, const float* gradient, int m, float* dx) {
  const Int8GemmKernel& packing = *kernels.int8_gemm;
  const FloatGemmKernel& gemm = *kernels.float_gemm;
  const int width = gemm.columns;
  const int n = linear.rows();
  const int k = linear.columns();
  const int column_blocks = (k + width - 1) / width;
  const int rows_a_block = RowsOfBlock(m, kFloatRowsAtOnce, gemm.rows, column_blocks, runner.thread_count());
  Reserve(scratch, runner.thread_count(), sizeof(float) * width * kFloatOutputsAtOnce,
          static_cast<size_t>(rows_a_block) * width, static_cast<size_t>(width));
  const int row_blocks = (m + rows_a_block - 1) / rows_a_block;
  runner.For(row_blocks * column_blocks, [&](int task, int thread) {
    const int first_row = task / column_blocks * rows_a_block;
    const int rows = std::min(rows_a_block, m - first_row);
    const int column = task % column_blocks * width;
    const int columns = std::min(width, k - column);
    float* weights = reinterpret_cast<float*>(scratch.weights[thread].data());
    float* sums = scratch.sums[thread].data();
    std::fill_n(weights, static_cast<size_t>(width) * kFloatOutputsAtOnce, 0.0f);
    for (int first = 0; first < n; first += kFloatOutputsAtOnce) {
      const int outputs = std::min(kFloatOutputsAtOnce, n - first);
      for (int i = 0; i < outputs; i++) {
        const int output = first + i;
        const uint8_t* panel = linear.panel(output / packing.columns);
        const float scale = linear.column_scales()[output];
        for (int j = 0; j < columns; j++) {
          const int c = column + j;
          const size_t group = static_cast<size_t>(c / packing.k_group) * packing.columns + output % packing.columns;
          const uint8_t code = panel[group * packing.k_group + c % packing.k_group] ^ packing.weight_xor;
          weights[static_cast<size_t>(i) * width + j] = static_cast<float>(static_cast<int8_t>(code)) * scale;
        }
      }
      for (int row = 0; row < rows; row += gemm.rows) {
        gemm.tile({std::min(gemm.rows, rows - row), width / gemm.lanes, outputs, first > 0,
                   gradient + static_cast<size_t>(first_row + row) * n + first, static_cast<size_t>(n), weights,
                   static_cast<size_t>(width), sums + static_cast<size_t>(row) * width, static_cast<size_t>(width)});
      }
    }
    kernels.vector->finish({rows, columns, width, nullptr, sums, nullptr, nullptr, nullptr, scratch.zeros.data(),
                            nullptr, false, nullptr, 0, dx + static_cast<size_t>(first_row) * k + column,
                            static_cast<size_t>(k)});
  });
}

}  // namespace lacos
