#include "kernel_self_check.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace lacos {
namespace {

class Numbers {
 public:
  uint32_t Next() {
    state_ = state_ * 1664525u + 1013904223u;
    return state_ >> 8;
  }
  int Code() { return static_cast<int>(Next() % 255) - 127; }
  float Real() { return static_cast<float>(Next() % 20001) / 10000.0f - 1.0f; }

 private:
  uint32_t state_ = 20230510;
};

bool Near(float a, float b) { return std::fabs(a - b) <= 1e-5f * (1.0f + std::fabs(b)); }

const char* CheckInt8(const Int8GemmKernel& kernel) {
  Numbers numbers;
  for (int rows = 1; rows <= kernel.rows; rows++) {
    for (const int groups : {1, 3, 8}) {
      const int k = groups * kernel.k_group;
      std::vector<int> a(static_cast<size_t>(rows) * k), b(static_cast<size_t>(k) * kernel.columns);
      for (int& x : a) x = numbers.Code();
      for (int& x : b) x = numbers.Code() < 0 ? -127 : 127;  // the extremes, where saturation would show
      const size_t stride = static_cast<size_t>(k) * kernel.activation_bytes;
      std::vector<uint8_t> rows_packed(stride * rows), panel(b.size());
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < k; j++) {
          const int16_t word = static_cast<int16_t>(a[static_cast<size_t>(i) * k + j]);
          std::memcpy(&rows_packed[i * stride + static_cast<size_t>(j) * kernel.activation_bytes], &word,
                      static_cast<size_t>(kernel.activation_bytes));
        }
      }
      for (int g = 0; g < groups; g++) {
        for (int n = 0; n < kernel.columns; n++) {
          for (int j = 0; j < kernel.k_group; j++) {
            const size_t at = (static_cast<size_t>(g) * kernel.columns + n) * kernel.k_group + j;
            const int code = b[static_cast<size_t>(g * kernel.k_group + j) * kernel.columns + n];
            panel[at] = static_cast<uint8_t>(static_cast<uint8_t>(code) ^ kernel.weight_xor);
          }
        }
      }
      std::vector<int32_t> c(static_cast<size_t>(rows) * kernel.columns, 5);
      for (const int ahead_lines : {0, 1, 2, 4}) {
        const bool accumulate = ahead_lines == 1;
        if (accumulate) c.assign(c.size(), 5);
        kernel.tile(
            {rows, groups, accumulate, rows_packed.data(), stride, panel.data(), c.data(), panel.data(), ahead_lines});
        for (int i = 0; i < rows; i++) {
          for (int n = 0; n < kernel.columns; n++) {
            int32_t expected = accumulate ? 5 : 0;
            for (int j = 0; j < k; j++) {
              const int x = a[static_cast<size_t>(i) * k + j];
              expected += x * b[static_cast<size_t>(j) * kernel.columns + n] + kernel.compensation * x;
            }
            if (c[static_cast<size_t>(i) * kernel.columns + n] != expected) return "int8 product";
          }
        }
      }
    }
  }
  return nullptr;
}

const char* CheckFloat(const FloatGemmKernel& kernel) {
  Numbers numbers;
  const int k = 5;
  for (int rows = 1; rows <= kernel.rows; rows++) {
    for (int vectors = 1; vectors * kernel.lanes <= kernel.columns; vectors++) {
      const int columns = vectors * kernel.lanes;
      std::vector<float> a(static_cast<size_t>(rows) * k), b(static_cast<size_t>(k) * columns);
      for (float& x : a) x = numbers.Real();
      for (float& x : b) x = numbers.Real();
      std::vector<float> c(static_cast<size_t>(rows) * columns);
      const size_t stride = static_cast<size_t>(columns);
      kernel.tile({rows, vectors, k, false, a.data(), k, b.data(), stride, c.data(), stride});
      for (int i = 0; i < rows; i++) {
        for (int n = 0; n < columns; n++) {
          float expected = 0;
          for (int j = 0; j < k; j++)
            expected += a[static_cast<size_t>(i) * k + j] * b[static_cast<size_t>(j) * columns + n];
          if (!Near(c[static_cast<size_t>(i) * columns + n], expected)) return "fp32 product";
        }
      }
    }
  }
  return nullptr;
}

const char* CheckVector(const VectorKernels& kernel, int activation_bytes) {
  Numbers numbers;
  for (const int n : {1, 7, 16, 33}) {
    std::vector<float> x(static_cast<size_t>(n)), weight(x.size(), 2.0f), bias(x.size(), 0.5f), y(x.size());
    float mean = 0, variance = 0, absmax = 0;
    for (float& value : x) mean += (value = numbers.Real());
    mean /= static_cast<float>(n);
    for (const float value : x) {
      variance += (value - mean) * (value - mean);
      absmax = std::fabs(value) > absmax ? std::fabs(value) : absmax;
    }
    const float scale = 1.0f / std::sqrt(variance / static_cast<float>(n) + 1e-3f);
    kernel.layer_norm(x.data(), n, weight.data(), bias.data(), 1e-3f, y.data());
    for (int i = 0; i < n; i++) {
      if (!Near(y[i], (x[i] - mean) * scale * 2.0f + 0.5f)) return "layer norm";
    }
    std::vector<int16_t> codes(64);
    QuantizeRow row{x.data(), n, std::numeric_limits<float>::infinity(), nullptr, codes.data(), activation_bytes, 0, 0};
    kernel.quantize_row(row);
    int32_t sum = 0;
    for (int i = 0; i < n; i++) {
      const int code = activation_bytes == 1 ? reinterpret_cast<int8_t*>(codes.data())[i] : codes[i];
      if (code != static_cast<int>(std::nearbyint(x[i] * (127.0f / absmax)))) return "row quantisation";
      sum += code;
    }
    if (sum != row.sum || row.scale != absmax / 127.0f) return "row quantisation";
  }
  return nullptr;
}

}  // namespace

const char* SelfCheck(const KernelSet& set) {
  if (const char* failure = CheckInt8(*set.int8_gemm)) return failure;
  if (const char* failure = CheckFloat(*set.float_gemm)) return failure;
  return CheckVector(*set.vector, set.int8_gemm->activation_bytes);
}

}  // namespace lacos
