#include "weight_view.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "status.h"

namespace lacos {
namespace {

// Of panels that may be described; those of the kernels are far smaller.
constexpr int kPanelColumnsMost = 4096;
constexpr int kPanelGroupMost = 64;
// Kernels read whole cache lines.
constexpr uintptr_t kPanelAlignment = 64;

// One row of a panel, a group of kGroup bytes every step.
template <size_t kGroup>
void TakeRow(const uint8_t* from, size_t step, size_t groups, int8_t* to) {
  for (size_t group = 0; group < groups; group++) std::memcpy(to + group * kGroup, from + group * step, kGroup);
}

struct Place {
  char text[96];
  Place(const char* name, int layer) {
    if (layer < 0) {
      std::snprintf(text, sizeof text, "%s", name);
    } else {
      std::snprintf(text, sizeof text, "h.%d.%s", layer, name);
    }
  }
};

}  // namespace

std::vector<float> CopyFinite(const float* values, int64_t n, const char* name, int layer) {
  if (values == nullptr) {
    Fail(LACOS_INVALID_ARGUMENT, "%s is null; pass %lld floats.", Place(name, layer).text, static_cast<long long>(n));
  }
  std::vector<float> copy(static_cast<size_t>(n));
  if (n > 0) std::memcpy(copy.data(), static_cast<const void*>(values), copy.size() * sizeof(float));
  for (int64_t i = 0; i < n; i++) {
    if (!std::isfinite(copy[i])) {
      Fail(LACOS_INVALID_ARGUMENT, "%s has %g at index %lld; the file is damaged or the model diverged.",
           Place(name, layer).text, static_cast<double>(copy[i]), static_cast<long long>(i));
    }
  }
  return copy;
}

WeightView::WeightView(const lacos_matrix& matrix, int rows, int columns, const char* name, int layer)
    : scheme_(matrix.scheme),
      rows_(rows),
      columns_(columns),
      block_size_(matrix.block_size),
      data_(matrix.data),
      panels_(matrix.panels) {
  const Place place(name, layer);
  if (matrix.rows != rows || matrix.columns != columns) {
    Fail(LACOS_INVALID_ARGUMENT, "%s is %d x %d; the configuration asks for %d x %d.", place.text, matrix.rows,
         matrix.columns, rows, columns);
  }
  if (matrix.data == nullptr) Fail(LACOS_INVALID_ARGUMENT, "%s has no data; pass its elements.", place.text);
  int64_t scale_count = 0;
  switch (matrix.scheme) {
    case LACOS_SCHEME_NONE:
      break;
    case LACOS_SCHEME_ROWWISE:
      scale_count = rows;
      break;
    case LACOS_SCHEME_BLOCKWISE:
      if (block_size_ <= 0) {
        Fail(LACOS_INVALID_ARGUMENT, "%s has block size %d; it must be positive.", place.text, block_size_);
      }
      scale_count = (static_cast<int64_t>(rows) * columns + block_size_ - 1) / block_size_;
      book_ = CopyFinite(matrix.code_book, 256, name, layer);
      break;
    default:
      Fail(LACOS_INVALID_ARGUMENT, "%s has scheme %d; known are 0 (none), 1 (row-wise) and 2 (block-wise).", place.text,
           matrix.scheme);
  }
  if (matrix.scale_count != scale_count) {
    Fail(LACOS_INVALID_ARGUMENT, "%s has %lld scales; its scheme needs %lld.", place.text,
         static_cast<long long>(matrix.scale_count), static_cast<long long>(scale_count));
  }
  if (scale_count > 0) scales_ = CopyFinite(matrix.scales, scale_count, name, layer);
  const bool sensible = panels_.columns >= 0 && panels_.columns <= kPanelColumnsMost && panels_.group > 0 &&
                        panels_.group <= kPanelGroupMost && (panels_.flip == 0 || panels_.flip == 128);
  if (panels_.columns != 0 && (matrix.scheme != LACOS_SCHEME_ROWWISE || !sensible)) {
    Fail(LACOS_INVALID_ARGUMENT,
         "%s has scheme %d and panels of %d columns in groups of %d, flipped by %d; panels hold row-wise codes (1), up "
         "to %d columns in groups of 1 to %d, flipped by 0 or 128.",
         place.text, matrix.scheme, panels_.columns, panels_.group, panels_.flip, kPanelColumnsMost, kPanelGroupMost);
  }
}

size_t WeightView::group_count() const { return (static_cast<size_t>(columns_) + panels_.group - 1) / panels_.group; }

size_t WeightView::data_bytes() const {
  if (!in_panels()) return static_cast<size_t>(rows_) * columns_;
  const size_t panels = (static_cast<size_t>(rows_) + panels_.columns - 1) / panels_.columns;
  return panels * group_count() * panels_.columns * panels_.group;
}

size_t WeightView::PlaceInPanels(int row, int group) const {
  const size_t panel = static_cast<size_t>(row / panels_.columns) * group_count();
  return ((panel + group) * panels_.columns + row % panels_.columns) * panels_.group;
}

const uint8_t* WeightView::PanelsFor(const Int8GemmKernel& kernel, const void* data, const lacos_panels& panels) {
  const bool fit = panels.columns == kernel.columns && panels.group == kernel.k_group &&
                   panels.flip == kernel.weight_xor && reinterpret_cast<uintptr_t>(data) % kPanelAlignment == 0;
  return fit ? static_cast<const uint8_t*>(data) : nullptr;
}

const int8_t* WeightView::Rows(int first, int count, std::vector<int8_t>& scratch) const {
  const size_t k = static_cast<size_t>(columns_);
  if (!in_panels()) return static_cast<const int8_t*>(data_) + k * first;
  const size_t stride = group_count() * panels_.group;
  scratch.resize(std::max(scratch.size(), stride * count));
  const uint8_t* from = static_cast<const uint8_t*>(data_);
  for (int row = 0; row < count; row++) {
    const uint8_t* codes = from + PlaceInPanels(first + row, 0);
    int8_t* to = scratch.data() + stride * row;
    const size_t step = static_cast<size_t>(panels_.columns) * panels_.group;
    if (panels_.group == 4) {
      TakeRow<4>(codes, step, group_count(), to);
    } else {
      for (size_t group = 0; group < group_count(); group++, codes += step, to += panels_.group) {
        std::memcpy(to, codes, static_cast<size_t>(panels_.group));
      }
    }
  }
  // Rows close up, over what pads their last groups.
  for (int row = 1; stride != k && row < count; row++) {
    std::memmove(scratch.data() + k * row, scratch.data() + stride * row, k);
  }
  const int8_t flip = static_cast<int8_t>(panels_.flip);
  for (size_t i = 0; flip != 0 && i < k * count; i++) scratch[i] ^= flip;
  return scratch.data();
}

void WeightView::Dequantize(int row, int first, int count, float* y, size_t stride) const {
  const size_t start = static_cast<size_t>(row) * columns_ + first;
  switch (scheme_) {
    case LACOS_SCHEME_NONE: {
      // Copied as bytes: in a mapped file floats may begin anywhere.
      const char* x = static_cast<const char*>(data_) + start * sizeof(float);
      for (int i = 0; i < count; i++) std::memcpy(y + i * stride, x + i * sizeof(float), sizeof(float));
      break;
    }
    case LACOS_SCHEME_ROWWISE: {
      const float scale = scales_[row] / 127.0f;
      if (in_panels()) {
        const uint8_t* codes = static_cast<const uint8_t*>(data_);
        for (int i = 0; i < count; i++) {
          const uint8_t byte = codes[PlaceInPanels(row, (first + i) / panels_.group) + (first + i) % panels_.group];
          y[i * stride] = static_cast<float>(static_cast<int8_t>(byte ^ panels_.flip)) * scale;
        }
        break;
      }
      const int8_t* x = static_cast<const int8_t*>(data_) + start;
      for (int i = 0; i < count; i++) y[i * stride] = static_cast<float>(x[i]) * scale;
      break;
    }
    default: {
      const uint8_t* x = static_cast<const uint8_t*>(data_) + start;
      for (size_t i = 0; i < static_cast<size_t>(count);) {
        const size_t block = (start + i) / block_size_;
        const size_t end = std::min<size_t>(count, (block + 1) * block_size_ - start);
        for (; i < end; i++) y[i * stride] = book_[x[i]] * scales_[block];
      }
    }
  }
}

}  // namespace lacos
