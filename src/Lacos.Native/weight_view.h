// A checked view of a weight matrix in the caller's memory, with its scales and code book copied.
#ifndef LACOS_WEIGHT_VIEW_H_
#define LACOS_WEIGHT_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <vector>

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
  const int8_t* codes() const { return static_cast<const int8_t*>(data_); }
  const std::vector<float>& scales() const { return scales_; }
  size_t bytes() const { return (scales_.size() + book_.size()) * sizeof(float); }

  // Elements first..first + count of a row as floats, `stride` floats apart in y. Row-wise: code * (absmax / 127), the
  // quotient rounded first; block-wise: book[code] * absmax.
  void Dequantize(int row, int first, int count, float* y, size_t stride) const;

 private:
  int32_t scheme_;
  int rows_;
  int columns_;
  int block_size_;
  const void* data_;
  std::vector<float> scales_;
  std::vector<float> book_;
};

// Copies n floats, refusing null and values that are not finite.
std::vector<float> CopyFinite(const float* values, int64_t n, const char* name, int layer);

}  // namespace lacos

#endif  // LACOS_WEIGHT_VIEW_H_
