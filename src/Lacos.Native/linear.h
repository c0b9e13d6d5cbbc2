// A linear layer y = activation(x W^T + b) + residual, in int8 or in fp32.
//
// Work is cut into tiles by rows and columns, never inside a sum that is kept in floats: fp32 sums run over k in order,
// and integer sums are exact in any order. So neither the batch nor the threads can change a bit.
#ifndef LACOS_LINEAR_H_
#define LACOS_LINEAR_H_

#include <memory>
#include <vector>

#include "aligned_buffer.h"
#include "kernel.h"
#include "loop_runner.h"
#include "quantized_rows.h"
#include "weight_reach.h"
#include "weight_view.h"

namespace lacos {

// What comes after the product.
struct LinearOutput {
  float* y;
  size_t y_stride;
  bool gelu = false;
  const float* residual = nullptr;  // may be y
  size_t residual_stride = 0;
};

// Columns of some rows that are computed in fp32 (LLM.int8): rows first..last share the list of columns.
struct OutlierSpan {
  int first_row;
  int last_row;
  const int* columns;  // ascending
  int column_count;
};

// Memory that the threads of a running layer need; kept between calls.
struct LinearScratch {
  std::vector<AlignedBuffer<float>> panels;  // one a thread
  std::vector<AlignedBuffer<float>> sums;    // one a thread; integers or floats
  std::vector<AlignedBuffer<float>> extras;  // one a thread
  std::vector<BlockExcess> excess;           // one a thread
  // One a thread, for layers whose rows are not quantised before, and in which run they were.
  struct alignas(64) OwnRows {
    QuantizedRows rows;
    uint64_t run = 0;
  };
  std::vector<OwnRows> own_rows;
  uint64_t runs = 0;

  void Reserve(const KernelSet& kernels, int threads);
};

class Int8Linear {
 public:
  // Bytes of packed weights.
  static size_t PackedBytes(const KernelSet& kernels, int rows, int columns);

  // Takes room only; call PackPanel for every panel, also of weights that are used in place. memory: PackedBytes, owned
  // by the caller: a model gives all its layers one stretch, for small layers alone would not lie in huge pages. Or
  // null: weights that lie in the kernel's panels are then used where they lie, others take memory of the layer's own.
  Int8Linear(const KernelSet& kernels, const WeightView& weight, std::vector<float> bias, uint8_t* memory = nullptr);

  int panel_count() const { return panel_count_; }
  void PackPanel(const WeightView& weight, int panel);
  int rows() const { return n_; }
  int columns() const { return k_; }
  const uint8_t* panel(int i) const { return packed_ + panel_bytes_ * i; }
  // Makes room for m rows that will be multiplied by this layer.
  void ReserveRows(QuantizedRows& rows, int m) const {
    rows.Reserve(*kernels_->int8_gemm, m, k_, reach_ == nullptr ? nullptr : reach_->inputs());
  }
  // The same for rows of gradients of its outputs. Codes are written up to a multiple of 16; a tile reads up to the end
  // of the last panel.
  void ReserveGradientRows(QuantizedRows& rows, int m) const {
    rows.Reserve(*kernels_->int8_gemm, m, panel_count_ * kernels_->int8_gemm->columns,
                 reach_ == nullptr ? nullptr : reach_->Outputs(packed_));
  }
  // absmax / 127 of every row, zeros in the padding.
  const float* column_scales() const { return column_scales_.data(); }
  size_t packed_bytes() const { return panel_bytes_ * panel_count_; }
  // Without panels used where they lie.
  size_t bytes() const { return (room_ == nullptr ? 0 : packed_bytes()) + column_scales_.bytes() + bias_.bytes(); }

  // x: the m rows that `rows` was made of, read only where spans say. A span list that is given covers all m rows in
  // order, also those without outliers. following: the layer that is run next, if that is known: its first weights are
  // fetched while the last ones of this layer are multiplied.
  void Run(LoopRunner& runner, LinearScratch& scratch, const QuantizedRows& rows, int m, const float* bias,
           const std::vector<OutlierSpan>* spans, const float* x, size_t x_stride, const LinearOutput& output,
           const Int8Linear* following = nullptr) const;
  // The same for few rows that are not quantised yet: each thread quantises all of them for itself, sooner than threads
  // could share that and wait for each other.
  void RunOnFloats(LoopRunner& runner, LinearScratch& scratch, const float* x, size_t x_stride, int m,
                   const float* bias, const LinearOutput& output) const;
  // So few rows of k columns. A single one takes less than telling another thread of it does.
  static bool AreFew(int m, int k) { return m > 1 && static_cast<int64_t>(m) * k <= 16 * 1024; }
  const float* bias() const { return bias_.data(); }

 private:
  struct Job;
  void Pack(const WeightView& weight, int panel);
  void RunJob(LoopRunner& runner, const Job& job) const;
  // What a thread multiplies, made by itself before its first work where nobody has.
  const QuantizedRows& RowsOf(const Job& job, int work, int thread) const;
  int RowBlockOf(int m, int threads) const;
  // Panels through all blocks of rows.
  int WorkOf(int m, int threads) const;
  void RunPanel(const Job& job, int work, const uint8_t* next_weights, int thread) const;
  const uint8_t* NextWeights(const Job& job, int next, int thread) const;
  void AddOutliers(const Job& job, int panel, int first_row, int rows, float* extra) const;

  const KernelSet* kernels_;
  int n_;
  int k_;
  int k_groups_;
  int panel_count_;
  size_t panel_bytes_;
  AlignedBuffer<uint8_t> own_memory_;
  uint8_t* room_;                       // for packed weights; null where they are used in place
  const uint8_t* packed_;               // the same, or where they lie
  AlignedBuffer<float> column_scales_;  // absmax / 127, zeros in the padding
  AlignedBuffer<float> bias_;           // zeros in the padding
  std::unique_ptr<WeightReach> reach_;  // for kernels that split rows
};

class FloatLinear {
 public:
  FloatLinear(const KernelSet& kernels, WeightView weight, std::vector<float> bias);

  int rows() const { return weight_.rows(); }
  int columns() const { return weight_.columns(); }
  size_t bytes() const { return weight_.bytes() + bias_.bytes(); }

  void Run(LoopRunner& runner, LinearScratch& scratch, const float* x, size_t x_stride, int m,
           const LinearOutput& output) const;

 private:
  const KernelSet* kernels_;
  WeightView weight_;
  AlignedBuffer<float> bias_;
};

}  // namespace lacos

#endif  // LACOS_LINEAR_H_
