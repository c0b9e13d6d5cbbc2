// A checked view of a weight matrix in the caller's memory, with its scales and code book copied. Row-wise codes may
// lie in panels.
#ifndef LACOS_WEIGHT_VIEW_H_
#define LACOS_WEIGHT_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernel.h"
#include "lacos_native.h"

namespace lacos {

// In features of a linear layer: with this many, sums of 127 * 127 still fit an int32, and code sums a float.
constexpr int kMaximumColumns = 131072;

class WeightView {
 public:
  // Throws Error LACOS_INVALID_ARGUMENT, naming the matrix as `name` (with `layer` where it is not negative).
  WeightView(const lacos_matrix& matrix, int rows, int columns, const char* name, int layer);

  int rows() const { return rows_; }
  int columns() const { return columns_; }
  int32_t scheme() const { return scheme_; }
  // Codes of rows first..first + count, row-major: where they lie, or unpacked into scratch. Row-wise weights only.
  const int8_t* Rows(int first, int count, std::vector<int8_t>& scratch) const;
  // The panels where they lie, if they are such as the kernel reads; else null.
  const uint8_t* PanelsFor(const Int8GemmKernel& kernel) const { return PanelsFor(kernel, data_, panels_); }
  static const uint8_t* PanelsFor(const Int8GemmKernel& kernel, const void* data, const lacos_panels& panels);
  const void* data() const { return data_; }
  // Of row-wise codes.
  size_t data_bytes() const;
  const std::vector<float>& scales() const { return scales_; }
  size_t bytes() const { return (scales_.size() + book_.size()) * sizeof(float); }

  // Elements first..first + count of a row as floats, `stride` floats apart in y. Row-wise: code * (absmax / 127), the
  // quotient rounded first; block-wise: book[code] * absmax.
  void Dequantize(int row, int first, int count, float* y, size_t stride) const;

 private:
  bool in_panels() const { return panels_.columns > 0; }
  size_t group_count() const;
  // Of the first code of a group of one row.
  size_t PlaceInPanels(int row, int group) const;

  int32_t scheme_;
  int rows_;
  int columns_;
  int block_size_;
  const void* data_;
  lacos_panels panels_;
  std::vector<float> scales_;
  std::vector<float> book_;
};

// Copies n floats, refusing null and values that are not finite.
std::vector<float> CopyFinite(const float* values, int64_t n, const char* name, int layer);

}  // namespace lacos

#endif  // LACOS_WEIGHT_VIEW_H_
