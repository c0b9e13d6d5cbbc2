#include "weight_view.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "status.h"

namespace lacos {
namespace {

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
  for (int64_t i = 0; i < n; i++) {
    if (!std::isfinite(values[i])) {
      Fail(LACOS_INVALID_ARGUMENT, "%s has %g at index %lld; the file is damaged or the model diverged.",
           Place(name, layer).text, static_cast<double>(values[i]), static_cast<long long>(i));
    }
  }
  return std::vector<float>(values, values + n);
}

WeightView::WeightView(const lacos_matrix& matrix, int rows, int columns, const char* name, int layer)
    : scheme_(matrix.scheme), rows_(rows), columns_(columns), block_size_(matrix.block_size), data_(matrix.data) {
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
}

void WeightView::Dequantize(int row, int first, int count, float* y, size_t stride) const {
  const size_t start = static_cast<size_t>(row) * columns_ + first;
  switch (scheme_) {
    case LACOS_SCHEME_NONE: {
      const float* x = static_cast<const float*>(data_) + start;
      for (int i = 0; i < count; i++) y[i * stride] = x[i];
      break;
    }
    case LACOS_SCHEME_ROWWISE: {
      const int8_t* x = static_cast<const int8_t*>(data_) + start;
      const float scale = scales_[row] / 127.0f;
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
