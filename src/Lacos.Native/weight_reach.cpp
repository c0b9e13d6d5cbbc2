#include "weight_reach.h"

#include <algorithm>
#include <vector>

#include "kernel.h"

namespace lacos {
namespace {

// Readers take the elements of four steps at once.
size_t Elements(int columns) { return (static_cast<size_t>(columns) + 4 * kStepColumns - 1) / (4 * kStepColumns) * 4; }

int Square(int8_t code) { return code * code; }

}  // namespace

WeightReach::WeightReach(int n, int k) : k_(k) {
  inputs_.Reserve(Elements(k));
  outputs_.Reserve(Elements(n));
  std::fill_n(inputs_.data(), Elements(k), 0.0f);
  std::fill_n(outputs_.data(), Elements(n), 0.0f);
}

void WeightReach::Add(const int8_t* codes_of_rows, int first, int count) {
  const int k = k_;
  const int steps = (k + kStepColumns - 1) / kStepColumns;
  std::vector<int32_t> most(static_cast<size_t>(steps), 0);
  std::vector<int32_t> sums(static_cast<size_t>(k) * 2);
  for (int row = 0; row < count; row++) {
    const int8_t* codes = codes_of_rows + static_cast<size_t>(row) * k;
    for (int step = 0; step < k / kStepColumns; step++) {
      const int8_t* c = codes + step * kStepColumns;
      const int even = Square(c[0]) + Square(c[1]) + Square(c[4]) + Square(c[5]);
      const int odd = Square(c[2]) + Square(c[3]) + Square(c[6]) + Square(c[7]);
      most[step] = std::max({most[step], even, odd});
    }
    int rest[2] = {0, 0};
    for (int i = k / kStepColumns * kStepColumns; i < k; i++) rest[i / 2 % 2] += Square(codes[i]);
    most[steps - 1] = std::max({most[steps - 1], rest[0], rest[1]});

    if (row % kStepColumns == 0) std::fill(sums.begin(), sums.end(), 0);
    int32_t* sum = sums.data() + static_cast<size_t>(row / 2 % 2) * k;
    for (int i = 0; i < k; i++) sum[i] += Square(codes[i]);
    if (row % kStepColumns == kStepColumns - 1 || row + 1 == count) {
      outputs_[(first + row) / kStepColumns] = static_cast<float>(*std::max_element(sums.begin(), sums.end()));
    }
  }
  std::lock_guard<std::mutex> lock(mutex_);
  for (int step = 0; step < steps; step++) inputs_[step] = std::max(inputs_[step], static_cast<float>(most[step]));
}

}  // namespace lacos
