// Numbers for the checks at load, the same in every process.
#ifndef LACOS_SELF_CHECK_NUMBERS_H_
#define LACOS_SELF_CHECK_NUMBERS_H_

#include <cmath>
#include <cstdint>
#include <vector>

namespace lacos {

class SelfCheckNumbers {
 public:
  uint32_t Next() {
    state_ = state_ * 1664525u + 1013904223u;
    return state_ >> 8;
  }
  int Code() { return static_cast<int>(Next() % 255) - 127; }
  float Real() { return static_cast<float>(Next() % 20001) / 10000.0f - 1.0f; }
  std::vector<float> Reals(int n, float scale) {
    std::vector<float> values(static_cast<size_t>(n));
    for (float& value : values) value = Real() * scale;
    return values;
  }

 private:
  uint32_t state_ = 20230510;
};

// False where a is NaN.
inline bool SelfCheckNear(float a, double b) { return std::fabs(a - b) <= 1e-5 * (1.0 + std::fabs(b)); }

}  // namespace lacos

#endif  // LACOS_SELF_CHECK_NUMBERS_H_
