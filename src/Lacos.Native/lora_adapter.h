// The small fp32 products of low-rank adapters: y += low B^T with low = scale * drop(x) A^T, and their gradients.
//
// Each sum is one chain in the order of its terms, so that neither threads nor tiles change a bit.
#ifndef LACOS_LORA_ADAPTER_H_
#define LACOS_LORA_ADAPTER_H_

#include <vector>

#include "aligned_buffer.h"
#include "kernel.h"
#include "lacos_native.h"
#include "loop_runner.h"

namespace lacos {

// c[rows, columns] = a[rows, k] * b[k, columns], or added to what is there. Rows of b are readable up to a multiple of
// FloatGemmKernel::columns; of c nothing but [rows, columns] is touched. tile: room for rows * columns of the kernel.
struct SmallProduct {
  int rows;
  int columns;
  int k;
  bool accumulate;
  const float* a;
  size_t a_stride;
  const float* b;
  size_t b_stride;
  float* c;
  size_t c_stride;
};
void Multiply(const FloatGemmKernel& gemm, const SmallProduct& product, float* tile);

// One adapter, A [rank, inputs] and B [outputs, rank], as the products read it.
class PreparedAdapter {
 public:
  void Set(const FloatGemmKernel& gemm, const lacos_adapter& adapter, int inputs, int outputs);

  bool is_set() const { return rank_ > 0; }
  int rank() const { return rank_; }

  // low[rows, rank] = scale * x[rows, inputs] A^T.
  void Down(int rows, const float* x, size_t x_stride, float* low, float* tile) const;
  // y[rows, outputs] = or += low B^T.
  void Up(int rows, const float* low, bool accumulate, float* y, size_t y_stride, float* tile) const;
  // low[rows, rank] = scale * dy[rows, outputs] B.
  void DownBackward(int rows, const float* dy, size_t dy_stride, float* low, float* tile) const;
  // dx[rows, inputs] = low A.
  void UpBackward(int rows, const float* low, float* dx, size_t dx_stride, float* tile) const;

 private:
  void Scale(int rows, float* low) const;

  const FloatGemmKernel* gemm_ = nullptr;
  int rank_ = 0;
  int inputs_ = 0;
  int outputs_ = 0;
  float scale_ = 0;
  AlignedBuffer<float> a_;             // [rank, input_stride]
  AlignedBuffer<float> a_transposed_;  // [inputs, rank_stride]
  AlignedBuffer<float> b_;             // [outputs, rank_stride]
  AlignedBuffer<float> b_transposed_;  // [rank, output_stride]
  size_t input_stride_ = 0;
  size_t output_stride_ = 0;
  size_t rank_stride_ = 0;
};

// Memory of AddOverTokens; kept between calls.
struct OverTokensScratch {
  AlignedBuffer<float> transposed;
  std::vector<AlignedBuffer<float>> panels;  // one a thread
  std::vector<AlignedBuffer<float>> sums;    // one a thread
};

// to[i * rank_step + j * column_step] = sum over the m tokens of low[token, i] * x[token, j]: the gradient of A from
// the tokens' inputs, that of B from the gradients of their outputs. x is readable FloatGemmKernel::columns further.
struct OverTokens {
  int m;
  int rank;
  const float* low;  // [m, rank]
  int columns;
  const float* x;
  size_t x_stride;
  float* to;
  size_t rank_step;
  size_t column_step;
};
void SumOverTokens(const FloatGemmKernel& gemm, LoopRunner& runner, OverTokensScratch& scratch, const OverTokens& sum);

}  // namespace lacos

#endif  // LACOS_LORA_ADAPTER_H_
