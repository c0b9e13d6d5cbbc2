#include "kernel_self_check.h"

#include <cstdint>
#include <cstring>
#include <vector>

#include "quantized_rows.h"
#include "row_self_check.h"
#include "self_check_numbers.h"

namespace lacos {
namespace {

// Weights are `least` or `most`. reach: as in Int8GemmKernel::split, the same for all columns, or 0 for null.
const char* CheckProducts(const Int8GemmKernel& kernel, int least, int most, uint16_t reach) {
  SelfCheckNumbers numbers;
  for (int rows = 1; rows <= kernel.rows; rows++) {
    for (const int groups : {1, 3, 8, 16, 35, 64}) {
      const int k = groups * kernel.k_group;
      std::vector<int> a(static_cast<size_t>(rows) * k), b(static_cast<size_t>(k) * kernel.columns);
      for (int& x : a) x = numbers.Code();
      // The extremes, where saturation would show; a damaged or foreign file may hold -128.
      for (int& x : b) x = numbers.Code() < 0 ? least : most;
      const size_t stride = static_cast<size_t>((k + 15) / 16 * 16);
      std::vector<int8_t> rows_packed(stride * rows);
      std::vector<uint8_t> panel(b.size());
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < k; j++) {
          rows_packed[i * stride + j] = static_cast<int8_t>(a[static_cast<size_t>(i) * k + j]);
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
      ExcessRows excess;
      const std::vector<uint16_t> reaches(static_cast<size_t>(k) / 8 + 4, reach);
      excess.Reserve(kernel, rows, k, reach > 0 ? reaches.data() : nullptr);
      for (int i = 0; i < rows; i++) excess.Split(kernel, i, &rows_packed[i * stride], k);
      ExcessBands bands;
      bands.Add(excess, 0, rows);
      std::vector<int32_t> c(static_cast<size_t>(rows) * kernel.columns, 5);
      for (const int ahead_bytes : {0, 4, 64, 128, 256}) {
        const bool accumulate = ahead_bytes == 4;
        if (accumulate) c.assign(c.size(), 5);
        kernel.tile({rows, groups, accumulate, rows_packed.data(), stride, panel.data(), c.data(), panel.data(),
                     ahead_bytes, excess.is_split()});
        bands.AddTo(c.data(), kernel, 0, 0, k, panel.data());
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
  SelfCheckNumbers numbers;
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
          if (!SelfCheckNear(c[static_cast<size_t>(i) * columns + n], expected)) return "fp32 product";
        }
      }
    }
  }
  return nullptr;
}

}  // namespace

const char* SelfCheck(const KernelSet& set) {
  const char* product = CheckProducts(*set.int8_gemm, -128, 127, 0);
  if (product == nullptr && set.int8_gemm->split != nullptr) {
    product = CheckProducts(*set.int8_gemm, -40, 40, 4 * 40 * 40);
  }
  if (set.int8_gemm->release != nullptr) set.int8_gemm->release();
  if (product != nullptr) return product;
  if (const char* failure = CheckFloat(*set.float_gemm)) return failure;
  return CheckRowOperations(set);
}

}  // namespace lacos
