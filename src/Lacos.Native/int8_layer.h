// One int8 linear layer with its own threads and buffers, for callers that run layers one by one.
#ifndef LACOS_INT8_LAYER_H_
#define LACOS_INT8_LAYER_H_

#include <mutex>

#include "linear.h"
#include "thread_pool.h"

namespace lacos {

class Int8Layer {
 public:
  Int8Layer(const KernelSet& kernels, const WeightView& weight, int threads);

  // y[m, rows] = activation(x[m, columns] W^T + bias) + residual. Calls at the same time follow each other.
  void Run(const float* x, int m, const float* bias, bool gelu, const float* residual, float* y);

 private:
  const KernelSet* kernels_;
  Int8Linear linear_;
  ThreadPool pool_;
  std::mutex mutex_;
  QuantizedRows rows_;
  LinearScratch scratch_;
  AlignedBuffer<float> bias_;
};

}  // namespace lacos

#endif  // LACOS_INT8_LAYER_H_
