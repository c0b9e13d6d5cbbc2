#include "int8_layer.h"

#include <algorithm>
#include <limits>

namespace lacos {

Int8Layer::Int8Layer(const KernelSet& kernels, const WeightView& weight, int threads)
    : kernels_(&kernels), linear_(kernels, weight, {}), pool_(threads) {
  pool_.For(linear_.panel_count(), [&](int panel, int) { linear_.PackPanel(weight, panel); });
  scratch_.Reserve(kernels, pool_.thread_count());
}

void Int8Layer::Run(const float* x, int m, float outlier_threshold, const float* bias, bool gelu, const float* residual,
                    float* y) {
  const size_t n = static_cast<size_t>(linear_.rows());
  const int k = linear_.columns();
  std::lock_guard<std::mutex> lock(mutex_);
  rows_.Reserve(*kernels_->int8_gemm, m, k);
  const size_t padded = (n + 63) / 64 * 64;
  bias_.Reserve(padded);
  std::fill_n(bias_.data(), padded, 0.0f);
  if (bias != nullptr) std::copy_n(bias, n, bias_.data());
  std::vector<OutlierSpan> spans;
  if (outlier_threshold > 0) {
    keep_.Reserve(static_cast<size_t>(k) + 16);
    outliers_.reserve(static_cast<size_t>(k));
    rows_.SetWithOutliers(*kernels_, 0, m, x, k, outlier_threshold, keep_.data(), outliers_);
    spans.push_back({0, m, outliers_.data(), static_cast<int>(outliers_.size())});
  } else {
    pool_.For(m, [&](int row, int) {
      rows_.Set(*kernels_, row, x + static_cast<size_t>(row) * k, k, std::numeric_limits<float>::infinity(), nullptr);
    });
  }
  linear_.Run(pool_, scratch_, rows_, m, bias_.data(), spans.empty() ? nullptr : &spans, x, static_cast<size_t>(k),
              {y, n, gelu, residual, n});
}

}  // namespace lacos
