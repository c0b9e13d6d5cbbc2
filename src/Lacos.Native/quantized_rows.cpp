#include "quantized_rows.h"

#include <algorithm>
#include <cmath>

namespace lacos {

void ExcessRows::Reserve(const Int8GemmKernel& kernel, int rows, int n, const uint16_t* reach) {
  is_split_ = kernel.split != nullptr && rows > 1;
  if (!is_split_) return;
  reach_ = reach;
  parts_ = (n + kExcessColumns - 1) / kExcessColumns;
  if (steps_.size() < static_cast<size_t>(rows)) steps_.resize(static_cast<size_t>(rows));
  starts_.Reserve(static_cast<size_t>(rows) * (parts_ + 1));
}

void ExcessRows::Split(const Int8GemmKernel& kernel, int row, int8_t* codes, int n) {
  if (!is_split_) return;
  ExcessStep found[kExcessStepsMost];
  std::vector<ExcessStep>& steps = steps_[row];
  int32_t* starts = starts_.data() + static_cast<size_t>(row) * (parts_ + 1);
  const int padded = (n + 15) / 16 * 16;
  steps.clear();
  for (int part = 0; part < parts_; part++) {
    starts[part] = static_cast<int32_t>(steps.size());
    const int first = part * kExcessColumns;
    const int columns = std::min(kExcessColumns, padded - first);
    if (columns <= 0) continue;
    const int count =
        kernel.split(codes + first, columns, reach_ == nullptr ? nullptr : reach_ + first / kStepColumns, found);
    steps.insert(steps.end(), found, found + count);
  }
  starts[parts_] = static_cast<int32_t>(steps.size());
}

void ExcessBands::Add(const ExcessRows& rows, int first, int count) {
  if (!rows.is_split_) return;
  starts_a_band_ = rows.parts_ + 1;
  const auto starts_of = [&](int row, int part) {
    return rows.starts_.data() + static_cast<size_t>(first + row) * starts_a_band_ + part;
  };
  const auto mark = [&] {
    starts_.push_back({static_cast<int32_t>(runs_.size()), static_cast<int32_t>(steps_.size())});
  };
  for (int part = 0; part < rows.parts_; part++) {
    mark();
    const auto begin = static_cast<std::ptrdiff_t>(runs_.size());
    for (int row = 0; row < count; row++) {
      const int32_t* starts = starts_of(row, part);
      if (starts[0] != starts[1]) runs_.push_back({row, starts[1] - starts[0]});
    }
    std::sort(runs_.begin() + begin, runs_.end(), [](const ExcessRun& a, const ExcessRun& b) {
      return a.steps != b.steps ? a.steps < b.steps : a.row < b.row;
    });
    for (auto run = runs_.begin() + begin; run != runs_.end(); ++run) {
      const auto from = rows.steps_[first + run->row].begin() + *starts_of(run->row, part);
      steps_.insert(steps_.end(), from, from + run->steps);
    }
  }
  mark();
}

void ExcessBands::AddTo(int32_t* sums, const Int8GemmKernel& kernel, int band, int first_column, int columns,
                        const uint8_t* weights) const {
  if (starts_.empty()) return;
  const Start* starts = starts_.data() + static_cast<size_t>(band) * starts_a_band_ + first_column / kExcessColumns;
  for (int column = 0; column < columns; column += kExcessColumns, starts++) {
    kernel.add_excess(runs_.data() + starts[0].run, runs_.data() + starts[1].run, steps_.data() + starts[0].step,
                      weights + static_cast<size_t>(column) * kernel.columns, sums);
  }
}

void QuantizedRows::Reserve(const Int8GemmKernel& kernel, int rows, int n, const uint16_t* reach) {
  // One cache line more than needed, so that rows of a power of two do not all fall into the same cache sets.
  stride = (static_cast<size_t>(n) + 63) / 64 * 64 + 64;
  codes.Reserve(stride * rows);
  scales.Reserve(static_cast<size_t>(rows));
  offsets.Reserve(static_cast<size_t>(rows));
  excess.Reserve(kernel, rows, n, reach);
}

void QuantizedRows::Set(const KernelSet& kernels, int row, const float* x, int n, float limit, const float* keep) {
  const Int8GemmKernel& gemm = *kernels.int8_gemm;
  QuantizeRow job{x, n, limit, keep, codes.data() + stride * row, 0, 0};
  kernels.vector->quantize_row(job);
  scales[row] = job.scale;
  offsets[row] = gemm.compensation * job.sum;
  excess.Split(gemm, row, codes.data() + stride * row, n);
}

void QuantizedRows::SetWithOutliers(const KernelSet& kernels, int first, int last, const float* x, size_t x_stride,
                                    int n, float threshold, float* keep, std::vector<int>& columns) {
  std::fill_n(keep, (n + 15) / 16 * 16, 1.0f);
  for (int row = first; row < last; row++) {
    const float* from = x + x_stride * row;
    for (int i = 0; i < n; i++) keep[i] = std::fabs(from[i]) >= threshold ? 0.0f : keep[i];
  }
  columns.clear();
  for (int i = 0; i < n; i++) {
    if (keep[i] == 0.0f) columns.push_back(i);
  }
  for (int row = first; row < last; row++) Set(kernels, row, x + x_stride * row, n, threshold, keep);
}

}  // namespace lacos
