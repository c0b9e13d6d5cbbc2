#include "int8_layer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "lacos_native.h"
#include "row_loop.h"
#include "status.h"

namespace lacos {
namespace {

// Lives as long as a layer uses it. What finds it is never freed: other threads may still make layers while the process
// ends.
std::shared_ptr<LayerWorkspace> WorkspaceOf(const KernelSet& kernels, int threads) {
  static std::mutex& mutex = *new std::mutex;
  static auto& workspaces = *new std::map<std::pair<const KernelSet*, int>, std::weak_ptr<LayerWorkspace>>;
  std::lock_guard<std::mutex> lock(mutex);
  std::weak_ptr<LayerWorkspace>& entry = workspaces[{&kernels, threads}];
  std::shared_ptr<LayerWorkspace> workspace = entry.lock();
  if (workspace == nullptr) entry = workspace = std::make_shared<LayerWorkspace>(kernels, threads);
  return workspace;
}

constexpr size_t kSlabBytes = size_t{32} << 20;
constexpr size_t kRoomAlignment = 4096;

}  // namespace

uint8_t* PackedRoom::data() const { return slab == nullptr ? nullptr : slab->memory.data() + first; }

PackedRoom LayerWorkspace::TakeRoom(size_t bytes) {
  // Less is cached, more has huge pages of its own.
  if (bytes < kSlabBytes / 32 || bytes > kSlabBytes / 4) return {};
  std::lock_guard<std::mutex> lock(mutex);
  const size_t rounded = (bytes + kRoomAlignment - 1) / kRoomAlignment * kRoomAlignment;
  if (slab == nullptr || slab->used + rounded > kSlabBytes) {
    auto fresh = std::make_shared<PackedSlab>();
    fresh->memory.Reserve(kSlabBytes);
    slab = std::move(fresh);
  }
  const PackedRoom room{slab, slab->used};
  slab->used += rounded;
  return room;
}

Int8Layer::Int8Layer(const KernelSet& kernels, const WeightView& weight, int threads)
    : kernels_(&kernels),
      workspace_(WorkspaceOf(kernels, threads)),
      room_(workspace_->TakeRoom(Int8Linear::PackedBytes(kernels, weight.rows(), weight.columns()))),
      linear_(kernels, weight, {}, room_.data()) {
  std::lock_guard<std::mutex> lock(workspace_->mutex);
  workspace_->threads.For(linear_.panel_count(), [&](int panel, int) { linear_.PackPanel(weight, panel); });
}

// Whole panels of bias are read: where they end within one, a copy goes on with zeros.
const float* Int8Layer::PanelsOf(const float* bias) {
  const int n = linear_.rows();
  const int width = kernels_->int8_gemm->columns;
  if (bias == nullptr) return linear_.bias();
  if (n % width == 0) return bias;
  AlignedBuffer<float>& padded = workspace_->bias;
  padded.Reserve(static_cast<size_t>(linear_.panel_count()) * width);
  std::copy_n(bias, n, padded.data());
  std::fill(padded.data() + n, padded.data() + linear_.panel_count() * width, 0.0f);
  return padded.data();
}

void Int8Layer::Run(const float* x, int m, float outlier_threshold, const float* bias, bool gelu, const float* residual,
                    float* y) {
  const size_t n = static_cast<size_t>(linear_.rows());
  const int k = linear_.columns();
  LayerWorkspace& w = *workspace_;
  std::lock_guard<std::mutex> lock(w.mutex);
  w.scratch.Reserve(*kernels_, w.threads.thread_count());
  const LinearOutput output{y, n, gelu, residual, n};
  if (outlier_threshold == 0 && Int8Linear::AreFew(m, k)) {
    return linear_.RunOnFloats(w.threads, w.scratch, x, static_cast<size_t>(k), m, PanelsOf(bias), output);
  }
  linear_.ReserveRows(w.rows, m);
  std::vector<OutlierSpan> spans;
  if (outlier_threshold > 0) {
    w.keep.Reserve(static_cast<size_t>(k) + 16);
    w.outliers.reserve(static_cast<size_t>(k));
    w.rows.SetWithOutliers(*kernels_, 0, m, x, static_cast<size_t>(k), k, outlier_threshold, w.keep.data(), w.outliers);
    spans.push_back({0, m, w.outliers.data(), static_cast<int>(w.outliers.size())});
  } else {
    ForRows(w.threads, m, k, [&](int row, int) { w.rows.Set(*kernels_, row, x + static_cast<size_t>(row) * k, k); });
  }
  linear_.Run(w.threads, w.scratch, w.rows, m, PanelsOf(bias), spans.empty() ? nullptr : &spans, x,
              static_cast<size_t>(k), output);
}

void Int8Layer::RunBackward(const float* gradient, int m, bool full_precision, float* dx) {
  LayerWorkspace& w = *workspace_;
  std::lock_guard<std::mutex> lock(w.mutex);
  if (full_precision) {
    FloatInputGradient(*kernels_, linear_, w.threads, w.gradient, gradient, m, dx);
    return;
  }
  if (linear_.rows() > kMaximumColumns) {
    Fail(LACOS_INVALID_ARGUMENT,
         "A layer with %d rows has no int8 gradient: sums of more than %d products could exceed an int32. Use fp32.",
         linear_.rows(), kMaximumColumns);
  }
  QuantizedInputGradient(*kernels_, linear_, w.threads, w.gradient, gradient, m, dx);
}

}  // namespace lacos
