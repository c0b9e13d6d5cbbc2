#include "weight_reach.h"

#include <algorithm>
#include <vector>

namespace lacos {
namespace {

// Readers take the elements of four steps at once.
size_t Elements(int columns) { return (static_cast<size_t>(columns) + 4 * kStepColumns - 1) / (4 * kStepColumns) * 4; }

uint16_t Limited(int squares) { return static_cast<uint16_t>(std::min(squares, 65535)); }

}  // namespace

WeightReach::WeightReach(const Int8GemmKernel& kernel, int n, int k)
    : kernel_(&kernel),
      panel_count_((n + kernel.columns - 1) / kernel.columns),
      k_groups_((k + kernel.k_group - 1) / kernel.k_group) {
  inputs_.Reserve(Elements(k));
  std::fill_n(inputs_.data(), Elements(k), uint16_t{0});
}

void WeightReach::Add(const uint8_t* panel) {
  std::vector<int32_t> most(Elements(k_groups_ * kernel_->k_group), 0);
  kernel_->reach(panel, k_groups_, most.data());
  std::lock_guard<std::mutex> lock(mutex_);
  const int steps = (k_groups_ * kernel_->k_group + kStepColumns - 1) / kStepColumns;
  for (int step = 0; step < steps; step++) inputs_[step] = std::max(inputs_[step], Limited(most[step]));
}

const uint16_t* WeightReach::Outputs(const uint8_t* panels) {
  std::call_once(outputs_once_, [&] {
    const size_t panel_bytes = static_cast<size_t>(k_groups_) * kernel_->k_group * kernel_->columns;
    const size_t elements = Elements(panel_count_ * kernel_->columns);
    outputs_.Reserve(elements);
    std::fill_n(outputs_.data(), elements, uint16_t{0});
    for (int panel = 0; panel < panel_count_; panel++) {
      AddOutputs(panels + panel_bytes * panel, panel * kernel_->columns / kStepColumns);
    }
  });
  return outputs_.data();
}

void WeightReach::AddOutputs(const uint8_t* panel, int first) {
  const int group = kernel_->k_group;
  for (int step = 0; step < kernel_->columns / kStepColumns; step++) {
    int most = 0;
    for (int k = 0; k < k_groups_; k++) {
      const uint8_t* codes = panel + (static_cast<size_t>(k) * kernel_->columns + step * kStepColumns) * group;
      for (int i = 0; i < group; i++) {
        const auto square = [&](int output) {
          const int code = static_cast<int8_t>(codes[output * group + i] ^ kernel_->weight_xor);
          return code * code;
        };
        most = std::max(
            {most, square(0) + square(1) + square(4) + square(5), square(2) + square(3) + square(6) + square(7)});
      }
    }
    outputs_[first + step] = Limited(most);
  }
}

}  // namespace lacos
