// Rows of a layer's input as int8 codes with one scale each, in the form that the kernels read.
#ifndef LACOS_QUANTIZED_ROWS_H_
#define LACOS_QUANTIZED_ROWS_H_

#include <cstdint>
#include <limits>
#include <vector>

#include "aligned_buffer.h"
#include "kernel.h"

namespace lacos {

// What Int8GemmKernel::split took out of rows, by row and by kExcessColumns columns; empty for kernels without it, and
// for a single row, which any kernel takes as it is.
class ExcessRows {
 public:
  // reach: of the weights that the rows will be multiplied by, for as long as rows are split; or null.
  void Reserve(const Int8GemmKernel& kernel, int rows, int n, const uint16_t* reach);
  // Splits the codes of one row, n rounded up to 16 of them. Rows may be split by several threads at once.
  void Split(const Int8GemmKernel& kernel, int row, int8_t* codes, int n);
  bool is_split() const { return is_split_; }

 private:
  friend class ExcessBands;

  bool is_split_ = false;
  int parts_ = 0;  // of a row
  const uint16_t* reach_ = nullptr;
  std::vector<std::vector<ExcessStep>> steps_;
  AlignedBuffer<int32_t> starts_;  // [rows, parts + 1]
};

// What the rows of each band of tiles gave away, copied into one stretch of memory. The rows of a band lie by their
// number of steps, so that the processor can guess where a run ends.
class ExcessBands {
 public:
  void Clear() { steps_.clear(), runs_.clear(), starts_.clear(); }
  // The next band.
  void Add(const ExcessRows& rows, int first, int count);
  // Adds to the sums of a band what was taken out of columns of its rows, if anything was. The first column is a
  // multiple of kExcessColumns, and so is the number of columns unless they end with the row. weights: of the first.
  void AddTo(int32_t* sums, const Int8GemmKernel& kernel, int band, int first_column, int columns,
             const uint8_t* weights) const;

 private:
  struct Start {
    int32_t run;
    int32_t step;
  };

  std::vector<ExcessStep> steps_;
  std::vector<ExcessRun> runs_;
  std::vector<Start> starts_;  // [bands, parts + 1]
  int starts_a_band_ = 0;
};

// Quantised rows of one layer's input.
struct QuantizedRows {
  AlignedBuffer<int8_t> codes;
  AlignedBuffer<float> scales;
  AlignedBuffer<int32_t> offsets;  // what each row's integer sums exceed the product by
  size_t stride = 0;               // bytes a row
  ExcessRows excess;

  // Room for rows of n columns; call it anew for every layer. reach as in ExcessRows.
  void Reserve(const Int8GemmKernel& kernel, int rows, int n, const uint16_t* reach);
  // Quantises one row. limit and keep as in QuantizeRow.
  void Set(const KernelSet& kernels, int row, const float* x, int n,
           float limit = std::numeric_limits<float>::infinity(), const float* keep = nullptr);
  // LLM.int8 over rows first..last of x, which decide together: columns in which any |x| reaches the threshold are
  // listed and get code 0; each row's scale is that of its elements below the threshold. keep: room for n rounded up to
  // 16; columns has room for n.
  void SetWithOutliers(const KernelSet& kernels, int first, int last, const float* x, size_t x_stride, int n,
                       float threshold, float* keep, std::vector<int>& columns);
};

// The bands of a block of rows, and which block that is: a thread takes several tasks of one in turn. No two threads'
// lie in one cache line.
class alignas(64) BlockExcess {
 public:
  // The bands of `run`, a number that no other product with this memory has, from first_row on.
  // rows_of(band, row): rows of a band that begins `row` rows behind first_row; 0 behind the last one.
  template <class RowsOf>
  const ExcessBands& Of(uint64_t run, int first_row, const ExcessRows& rows, const RowsOf& rows_of) {
    if (run_ == run && first_row_ == first_row) return bands_;
    bands_.Clear();
    for (int band = 0, row = 0, count = 0; (count = rows_of(band, row)) > 0; band++, row += count) {
      bands_.Add(rows, first_row + row, count);
    }
    run_ = run;
    first_row_ = first_row;
    return bands_;
  }

 private:
  ExcessBands bands_;
  uint64_t run_ = 0;
  int first_row_ = 0;
};

}  // namespace lacos

#endif  // LACOS_QUANTIZED_ROWS_H_
