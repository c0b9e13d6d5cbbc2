// What a set of kernels for one instruction set is: a table of functions and the layout that they expect.
//
// Hazard: the files that implement these tables are compiled with wider instructions than the rest of the library. They
// may define nothing inline that another file also sees (no standard algorithms, no shared inline functions): the
// linker would keep one copy, and an older CPU might be given the wide one.
#ifndef LACOS_KERNEL_H_
#define LACOS_KERNEL_H_

#include <cstddef>
#include <cstdint>

namespace lacos {

// Codes that were taken out of a row (Int8GemmKernel::split): two groups of it, to be multiplied in one step.
struct ExcessStep {
  int32_t codes[2];     // k_group codes each
  uint16_t offsets[2];  // bytes from the weights of the first of these kExcessColumns columns to those of each group
};
// So many steps of one row, which follow those of the run before.
struct ExcessRun {
  int32_t row;  // of the sums
  int32_t steps;
};
// Columns of a step: two groups of four.
constexpr int kStepColumns = 8;
// Columns of a row that share a list of them.
constexpr int kExcessColumns = 512;
// Steps that kExcessColumns columns make at most.
constexpr int kExcessStepsMost = kExcessColumns / kStepColumns * 3;

// One tile of an int8 product: c[rows, NR] (+)= a[rows, k] * b.
struct Int8Tile {
  int rows;               // 1..Int8GemmKernel::rows
  int k_groups;           // groups of k_group columns
  bool accumulate;        // add to c instead of overwriting it
  const void* a;          // quantised rows, row-major
  size_t a_stride;        // bytes
  const uint8_t* b;       // one packed panel, from the first group on
  int32_t* c;             // [rows, NR], contiguous
  const uint8_t* ahead;   // what will be read next, for prefetching
  int ahead_bytes;        // how much of it to prefetch for every group: 0, 4, 8, 16, 32, 64, 128 or 256
  bool is_split = false;  // split has seen the rows
};

// Weights [N, K] lie as panels [N / NR][K / k_group][NR][k_group] of bytes, each xor-ed with weight_xor, zero codes in
// the padding. Rows lie as int8, padded with zeros to a multiple of k_group.
struct Int8GemmKernel {
  const char* name;
  int rows;              // MR
  int columns;           // NR
  int k_group;           // columns of a that one lane takes at once
  uint8_t weight_xor;    // 0x80 where weights are shifted to unsigned bytes
  int32_t compensation;  // c exceeds the product by this times the sum of the row's codes
  void (*tile)(const Int8Tile& tile);
  // Called by a thread after its last tile, before anything that is not ours can run on it (LoopThreads); null where
  // tiles leave no state behind.
  void (*release)();
  // Null where any codes will do, as they do for all kernels if there is one row only. Takes out of n codes in
  // -127..127 (n a multiple of 16, at most kExcessColumns) what the tile could not add exactly, and writes at most
  // kExcessStepsMost steps that make up for it, none of which needs another column. Returns how many. reach: the
  // WeightReach of the same columns, or null where the weights are not known.
  int (*split)(int8_t* codes, int n, const uint16_t* reach, ExcessStep* steps) = nullptr;
  // For kernels that split: adds what rows gave away to sums [rows, NR] that tiles have begun. steps: of the first run.
  // weights: of the first of the columns that the steps belong to.
  void (*add_excess)(const ExcessRun* first, const ExcessRun* last, const ExcessStep* steps, const uint8_t* weights,
                     int32_t* sums) = nullptr;
  // For kernels that split: raises most[i] to the largest sum of squares in step i of one panel (WeightReach::inputs).
  void (*reach)(const uint8_t* panel, int k_groups, int32_t* most) = nullptr;
  // Weights of a block up to which each thread rather takes parts of a batch through all layers than shares each layer
  // with the others: the faster the product, the more of the time goes to what lies between products.
  size_t own_block_bytes = size_t{8} << 20;
  // How many bytes ahead of itself a tile fetches weights that run at the speed of memory.
  size_t stream_ahead = 8192;
};

// c[rows, lanes * vectors] (+)= a[rows, k] * b[k, lanes * vectors]; each element is one chain of multiply-adds in the
// order of k, so that no blocking of rows, columns or k changes a bit.
struct FloatTile {
  int rows;
  int vectors;  // 1..columns / lanes
  int k;
  bool accumulate;
  const float* a;
  size_t a_stride;  // elements
  const float* b;
  size_t b_stride;  // elements; rows of b are readable up to lanes * vectors
  float* c;
  size_t c_stride;  // elements; rows of c are writable up to lanes * vectors
};

// Columns of a float tile are a multiple of 16, and at most as many.
constexpr int kFloatColumnsMost = 64;

struct FloatGemmKernel {
  const char* name;
  int rows;
  int columns;
  int lanes;
  void (*tile)(const FloatTile& tile);
};

// Turns a tile of sums into output: out = activation(value + extra) + residual, for `columns` of the NR columns.
struct Finish {
  int rows;
  int columns;
  int panel;                // NR: stride of sums and extra; scales and bias hold that many elements
  const int32_t* int_sums;  // either these: value = (sum - offset[row]) * row_scale[row] * column_scale + bias
  const float* float_sums;  // or these: value = sum + bias
  const int32_t* offsets;
  const float* row_scales;
  const float* column_scales;
  const float* bias;
  const float* extra;  // [rows, panel] or null
  bool gelu;
  const float* residual;  // or null; may be out
  size_t residual_stride;
  float* out;
  size_t out_stride;
};

// Quantises one row: scale = absmax / 127, code = round_half_even(x * (127 / absmax)). absmax leaves out elements >=
// limit, whose codes saturate; columns with keep == 0 get code 0. A NaN or an infinity makes the scale NaN, so that it
// shows in the output.
struct QuantizeRow {
  const float* x;
  int n;
  float limit;        // +infinity: all elements count
  const float* keep;  // null, or n ones and zeros, readable up to a multiple of 16
  int8_t* codes;      // written up to a multiple of 16 elements
  float scale;        // result
  int32_t sum;        // result: sum of the codes
};

struct VectorKernels {
  const char* name;
  // y = (x - mean) / sqrt(variance + epsilon) * weight + bias; y may be x.
  void (*layer_norm)(const float* x, int n, const float* weight, const float* bias, float epsilon, float* y);
  void (*quantize_row)(QuantizeRow& row);
  void (*finish)(const Finish& finish);
  // s[j] = exp(s[j] * scale + slope * j - max) for j < n, s[n..padded) = 0; returns 1 / sum. s is padded to 16.
  float (*softmax)(float* s, int n, int padded, float scale, float slope);
  // y[i] = x[i] * factor for i < n.
  void (*scale)(const float* x, int n, float factor, float* y);
  // to[to_stride * d + i] = rows[i][d] for i < count and d < size; to is written up to a multiple of 16 columns.
  void (*transpose)(const float* const* rows, int count, int size, float* to, size_t to_stride);
};

struct TrainingKernels;  // training_kernels.h

// "scalar", "avx2", ...: everything a model needs, from one instruction set.
struct KernelSet {
  const char* name;
  const char* description;
  uint32_t requires_features;
  bool built;
  const Int8GemmKernel* int8_gemm;
  const FloatGemmKernel* float_gemm;
  const VectorKernels* vector;
  const TrainingKernels* training = nullptr;
};

}  // namespace lacos

#endif  // LACOS_KERNEL_H_
