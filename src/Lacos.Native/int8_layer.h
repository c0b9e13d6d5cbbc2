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

  // y[m, rows] = activation(x[m, columns] W^T + bias) + residual. outlier_threshold: 0 for none, else the m rows decide
  // together which columns run in fp32. Calls at the same time follow each other.
  void Run(const float* x, int m, float outlier_threshold, const float* bias, bool gelu, const float* residual,
           float* y);

 private:
  const KernelSet* kernels_;
  Int8Linear linear_;
  ThreadPool pool_;
  std::mutex mutex_;
  QuantizedRows rows_;
  LinearScratch scratch_;
  AlignedBuffer<float> bias_;
  AlignedBuffer<float> keep_;
  std::vector<int> outliers_;
};

}  // namespace lacos

#endif  // LACOS_INT8_LAYER_H_
