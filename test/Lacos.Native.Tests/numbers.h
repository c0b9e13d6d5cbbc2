// Reproducible random numbers for tests.
#ifndef LACOS_TEST_NUMBERS_H_
#define LACOS_TEST_NUMBERS_H_

#include <cstdint>
#include <random>
#include <vector>

namespace lacos {

class Numbers {
 public:
  explicit Numbers(uint32_t seed) : engine_(seed) {}

  int Whole(int low, int high) { return low + static_cast<int>(engine_() % static_cast<uint32_t>(high - low + 1)); }
  float Uniform(float low, float high) {
    return low + (high - low) * static_cast<float>(engine_() >> 8) / static_cast<float>(1 << 24);
  }
  float Normal(float deviation) { return deviation * normal_(engine_); }

  std::vector<float> Normals(size_t n, float deviation) {
    std::vector<float> values(n);
    for (float& value : values) value = Normal(deviation);
    return values;
  }
  std::vector<int8_t> Codes(size_t n) {
    std::vector<int8_t> values(n);
    for (int8_t& value : values) value = static_cast<int8_t>(Whole(-127, 127));
    return values;
  }

 private:
  std::mt19937 engine_;
  std::normal_distribution<float> normal_;
};

}  // namespace lacos

#endif  // LACOS_TEST_NUMBERS_H_
