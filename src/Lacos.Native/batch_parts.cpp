#include "batch_parts.h"

#include <algorithm>

namespace lacos {
namespace {

// Time that threads may wait for the last one, as a share of all work.
constexpr double kUnevenness = 0.1;

// When the last of the threads ends, if each claims the next part as soon as it is free.
int64_t LastEnd(const std::vector<BatchPart>& parts, const int32_t* offsets, int threads) {
  std::vector<int64_t> ends(static_cast<size_t>(threads));
  for (const BatchPart& part : parts) {
    *std::min_element(ends.begin(), ends.end()) += offsets[part.last] - offsets[part.first];
  }
  return *std::max_element(ends.begin(), ends.end());
}

}  // namespace

std::vector<BatchPart> PartsUpTo(const int32_t* offsets, int sentences, int tokens) {
  std::vector<BatchPart> parts;
  for (int first = 0; first < sentences;) {
    int last = first + 1;
    while (last < sentences && offsets[last + 1] - offsets[first] <= tokens) last++;
    parts.push_back({first, last});
    first = last;
  }
  return parts;
}

std::vector<BatchPart> EvenParts(const int32_t* offsets, int sentences, int tokens, int threads) {
  const int64_t total = offsets[sentences] - offsets[0];
  const int64_t turn = static_cast<int64_t>(tokens) * threads;
  const int64_t count = std::max<int64_t>(1, (total + turn - 1) / turn) * threads;
  std::vector<BatchPart> parts;
  int first = 0;
  for (int64_t i = 1; i <= count && first < sentences; i++) {
    const int64_t aim = offsets[0] + total * i / count;
    int last = first + 1;
    // The end that is nearest to the aim.
    while (last < sentences && aim - offsets[last] > offsets[last + 1] - aim) last++;
    if (i == count) last = sentences;
    parts.push_back({first, last});
    first = last;
  }
  if (LastEnd(parts, offsets, threads) * threads > static_cast<int64_t>((1 + kUnevenness) * total)) return {};
  return parts;
}

}  // namespace lacos
