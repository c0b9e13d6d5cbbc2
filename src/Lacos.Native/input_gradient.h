// The way back through a frozen int8 linear layer: dX = dY W, from the panels that the forward reads.
//
// W = codes * scale[output], and the sum runs over outputs: so each output's scale goes into the gradient before that
// is quantised, row by row, and what remains is an exact integer product with the codes.
#ifndef LACOS_INPUT_GRADIENT_H_
#define LACOS_INPUT_GRADIENT_H_

#include <vector>

#include "aligned_buffer.h"
#include "kernel.h"
#include "linear.h"
#include "loop_runner.h"

namespace lacos {

// Memory of a running backward pass; kept between calls, grows to the largest layer.
struct GradientScratch {
  QuantizedRows rows;
  std::vector<AlignedBuffer<float>> scaled;     // one a thread: a row of the gradient times the scales
  std::vector<AlignedBuffer<uint8_t>> weights;  // one a thread: transposed codes, or dequantised floats
  std::vector<AlignedBuffer<float>> sums;       // one a thread; integers or floats
  std::vector<BlockExcess> excess;              // one a thread
  uint64_t runs = 0;
  AlignedBuffer<float> ones;
  AlignedBuffer<float> zeros;
};

// The two halves of QuantizedInputGradient, for callers that have the rows in hand and have called ReserveGradientRows
// of the layer: QuantizeGradientRow sets one of them (scaled: room for the layer's rows and 16 more); the product reads
// all m.
void QuantizeGradientRow(const KernelSet& kernels, const Int8Linear& linear, int row, const float* gradient,
                         float* scaled, QuantizedRows& rows);
void InputGradientProduct(const KernelSet& kernels, const Int8Linear& linear, LoopRunner& runner,
                          GradientScratch& scratch, int m, float* dx, size_t dx_stride);

// dx[m, columns] = gradient[m, rows] * W. Every element of dx is a function of its row alone: integer sums are exact,
// and float sums run over the outputs in order. The rows of the layer must be at most kMaximumColumns.
void QuantizedInputGradient(const KernelSet& kernels, const Int8Linear& linear, LoopRunner& runner,
                            GradientScratch& scratch, const float* gradient, int m, float* dx);

// The same in fp32, with the weights dequantised a few outputs at a time.
void FloatInputGradient(const KernelSet& kernels, const Int8Linear& linear, LoopRunner& runner,
                        GradientScratch& scratch, const float* gradient, int m, float* dx);

}  // namespace lacos

#endif  // LACOS_INPUT_GRADIENT_H_
