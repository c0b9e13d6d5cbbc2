// How far the weights of a layer can carry a sum of a few products: for kernels that add in 16 bits.
#ifndef LACOS_WEIGHT_REACH_H_
#define LACOS_WEIGHT_REACH_H_

#include <cstdint>
#include <mutex>

#include "aligned_buffer.h"
#include "kernel.h"

namespace lacos {

// Of every eight columns that are multiplied in one step: the largest sum of squares of the four weights that meet in
// one sum, which are those of columns 0, 1, 4, 5 or of 2, 3, 6, 7 of the eight; 65,535 where it is more. What pads a
// panel may raise it.
class WeightReach {
 public:
  // Of a layer [n, k] in panels of the kernel.
  WeightReach(const Int8GemmKernel& kernel, int n, int k);

  // Takes a packed panel into account. Several threads may add at once.
  void Add(const uint8_t* panel);

  // Where inputs are multiplied: over columns, the largest of all rows.
  const uint16_t* inputs() const { return inputs_.data(); }
  // Where gradients of outputs are multiplied: over rows, the largest of all columns. Found when first asked for, from
  // all the panels of the layer.
  const uint16_t* Outputs(const uint8_t* panels);

 private:
  void AddOutputs(const uint8_t* panel, int first);

  const Int8GemmKernel* kernel_;
  int panel_count_;
  int k_groups_;
  std::mutex mutex_;
  AlignedBuffer<uint16_t> inputs_;
  std::once_flag outputs_once_;
  AlignedBuffer<uint16_t> outputs_;
};

}  // namespace lacos

#endif  // LACOS_WEIGHT_REACH_H_
