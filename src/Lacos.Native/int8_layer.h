// One int8 linear layer, for callers that run layers one by one. Layers share threads and buffers.
#ifndef LACOS_INT8_LAYER_H_
#define LACOS_INT8_LAYER_H_

#include <memory>
#include <mutex>
#include <vector>

#include "input_gradient.h"
#include "linear.h"
#include "loop_threads.h"

namespace lacos {

// Memory that layers are packed into one after the other; it lives as long as one of them. A layer of a megabyte alone
// would lie in small pages, and looking them up takes a fifth of the time that reading it does.
struct PackedSlab {
  AlignedBuffer<uint8_t> memory;
  size_t used = 0;
};
struct PackedRoom {
  std::shared_ptr<PackedSlab> slab;  // null: the layer takes memory of its own
  size_t first = 0;

  uint8_t* data() const;
};

// Threads and buffers of the layers of one kernel set and thread count: a network of a hundred layers holds one set,
// not a hundred.
struct LayerWorkspace {
  LayerWorkspace(const KernelSet& kernels, int thread_count) : threads(thread_count, kernels.int8_gemm->release) {}

  std::mutex mutex;
  LoopThreads threads;
  QuantizedRows rows;
  LinearScratch scratch;
  GradientScratch gradient;
  AlignedBuffer<float> bias;  // of a layer that ends within a panel
  AlignedBuffer<float> keep;
  std::vector<int> outliers;
  std::shared_ptr<PackedSlab> slab;  // the one that is being filled

  PackedRoom TakeRoom(size_t bytes);
};

// Calls at the same time, also on different layers of one workspace, follow each other.
class Int8Layer {
 public:
  Int8Layer(const KernelSet& kernels, const WeightView& weight, int threads);

  // y[m, rows] = activation(x[m, columns] W^T + bias) + residual. outlier_threshold: 0 for none, else the m rows decide
  // together which columns run in fp32.
  void Run(const float* x, int m, float outlier_threshold, const float* bias, bool gelu, const float* residual,
           float* y);

  // dx[m, columns] = gradient[m, rows] W.
  void RunBackward(const float* gradient, int m, bool full_precision, float* dx);

 private:
  const float* PanelsOf(const float* bias);

  const KernelSet* kernels_;
  std::shared_ptr<LayerWorkspace> workspace_;
  PackedRoom room_;
  Int8Linear linear_;
};

}  // namespace lacos

#endif  // LACOS_INT8_LAYER_H_
