// How far the weights of a layer can carry a sum of a few products: for kernels that add in 16 bits.
#ifndef LACOS_WEIGHT_REACH_H_
#define LACOS_WEIGHT_REACH_H_

#include <cstdint>
#include <mutex>

#include "aligned_buffer.h"

namespace lacos {

// Of every eight columns that are multiplied in one step: the largest sum of squares of the four weights that meet in
// one sum, which are those of columns 0, 1, 4, 5 or of 2, 3, 6, 7 of the eight.
class WeightReach {
 public:
  WeightReach(int n, int k);

  // Takes rows first..first + count of the weights into account, first a multiple of 8. codes_of_rows: row-major.
  // Several threads may add at once.
  void Add(const int8_t* codes_of_rows, int first, int count);

  // Where inputs are multiplied: over columns, the largest of all rows.
  const float* inputs() const { return inputs_.data(); }
  // Where gradients of outputs are multiplied: over rows, the largest of all columns.
  const float* outputs() const { return outputs_.data(); }

 private:
  int k_;
  std::mutex mutex_;
  AlignedBuffer<float> inputs_;
  AlignedBuffer<float> outputs_;
};

}  // namespace lacos

#endif  // LACOS_WEIGHT_REACH_H_
