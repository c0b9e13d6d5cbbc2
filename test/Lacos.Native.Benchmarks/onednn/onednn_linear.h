// oneDNN's int8 product as a linear layer: fp32 rows in, fp32 rows out; quantising, dequantising and bias included.
#ifndef LACOS_ONEDNN_LINEAR_H_
#define LACOS_ONEDNN_LINEAR_H_

#include <stdint.h>

#if defined(__GNUC__)
#define ONEDNN_API __attribute__((visibility("default")))
#else
#define ONEDNN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct onednn_linear onednn_linear;

// Such as "2.6.3".
ONEDNN_API const char* onednn_linear_version(void);

// Why the last call of this thread failed.
ONEDNN_API const char* onednn_linear_error(void);

// A layer of row-wise codes [n, k] (scale absmax / 127 a row) for `m` rows of input, kept `copies` times so that no
// cache serves the weights. NULL on failure. Reordering the weights happens here and is in no time.
ONEDNN_API onednn_linear* onednn_linear_create(int32_t n, int32_t k, int32_t m, int32_t copies, const int8_t* codes,
                                               const float* absmax, const float* bias, int32_t threads);

// y[m, n] = x[m, k] * W^T + bias by one copy of the weights. 0 on success.
ONEDNN_API int32_t onednn_linear_forward(onednn_linear* linear, int32_t copy, const float* x, float* y);

// What oneDNN chose, such as "brg:avx512_core_vnni". Lives as long as the layer.
ONEDNN_API const char* onednn_linear_kernel(const onednn_linear* linear);

ONEDNN_API void onednn_linear_destroy(onednn_linear* linear);

#ifdef __cplusplus
}
#endif

#endif  // LACOS_ONEDNN_LINEAR_H_
