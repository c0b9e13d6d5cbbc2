// Row operations that only training needs, from one instruction set; as VectorKernels, each row for itself.
#ifndef LACOS_TRAINING_KERNELS_H_
#define LACOS_TRAINING_KERNELS_H_

#include <cstdint>

namespace lacos {

// Which elements of one token's vector an adapter sees. Element i is kept where lowbias32(features[i] ^ token) is at
// least the threshold; features are lowbias32(i * 0x9E3779B9), with room up to a multiple of 16. lowbias32 is
// C. Wellons' 32-bit mixing function (github.com/skeeto/hash-prospector).
struct DropoutRow {
  const uint32_t* features;
  uint32_t token;
  uint32_t threshold;
};

struct TrainingKernels {
  // x[i] = 0 where dropped.
  void (*drop)(const DropoutRow& row, int n, float* x);
  // y[i] += x[i] where kept.
  void (*add_kept)(const DropoutRow& row, int n, const float* x, float* y);
  // y[i] = gelu(x[i]); y may be x.
  void (*gelu)(const float* x, int n, float* y);
  // gradient[i] *= gelu'(x[i]).
  void (*gelu_backward)(const float* x, int n, float* gradient);
  // dx += the gradient of x, where dy is that of layer_norm(x, weight, any bias, epsilon).
  void (*layer_norm_backward)(const float* x, int n, const float* weight, float epsilon, const float* dy, float* dx);
  // bfloat16, rounded to nearest even, and back.
  void (*pack)(const float* x, int n, uint16_t* y);
  void (*unpack)(const uint16_t* x, int n, float* y);
  // z[i] = x[i] * y[i].
  void (*multiply)(const float* x, const float* y, int n, float* z);
  // dp[j] = p[j] * (dp[j] - sum p dp) * scale for j < n, and 0 up to padded, a multiple of 16: the gradient of what
  // went into a softmax whose outcome is p, zero from n on.
  void (*softmax_backward)(const float* p, int n, int padded, float scale, float* dp);
};

}  // namespace lacos

#endif  // LACOS_TRAINING_KERNELS_H_
