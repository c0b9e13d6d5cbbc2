#include "batch_parts.h"

#include <algorithm>

namespace lacos {
namespace {

// Time that threads may wait for the last one, as a share of all work.
constexpr double kUnevenness = 0.1;

// When the last of the threads ends, if each claims the next part as soon as it is free.
int64_t LastEnd(const std::vector<BatchPart>& parts, const SentenceRows& batch, int threads) {
  std::vector<int64_t> ends(static_cast<size_t>(threads));
  for (const BatchPart& part : parts) *std::min_element(ends.begin(), ends.end()) += batch.Of(part);
  return *std::max_element(ends.begin(), ends.end());
}

}  // namespace

std::vector<BatchPart> PartsUpTo(const SentenceRows& batch, int sentences, int rows) {
  std::vector<BatchPart> parts;
  for (int first = 0; first < sentences;) {
    int last = first + 1;
    while (last < sentences && batch.Of({first, last + 1}) <= rows) last++;
    parts.push_back({first, last});
    first = last;
  }
  return parts;
}

std::vector<BatchPart> EvenParts(const SentenceRows& batch, int sentences, int rows, int threads) {
  const int64_t own = batch.Own(0, sentences);
  const int64_t turn = static_cast<int64_t>(rows) * threads;
  const int64_t count = std::max<int64_t>(1, (own + turn - 1) / turn) * threads;
  std::vector<BatchPart> parts;
  int64_t total = 0;
  int first = 0;
  for (int64_t i = 1; i <= count && first < sentences; i++) {
    const int64_t aim = own * i / count;
    int last = first + 1;
    // The end that is nearest to the aim.
    while (last < sentences && aim - batch.Own(0, last) > batch.Own(0, last + 1) - aim) last++;
    if (i == count) last = sentences;
    parts.push_back({first, last});
    total += batch.Of(parts.back());
    first = last;
  }
  std::sort(parts.begin(), parts.end(), [&](const BatchPart& left, const BatchPart& right) {
    const int difference = batch.Of(left) - batch.Of(right);
    return difference != 0 ? difference > 0 : left.first < right.first;
  });
  if (LastEnd(parts, batch, threads) * threads > static_cast<int64_t>((1 + kUnevenness) * total)) return {};
  return parts;
}

}  // namespace lacos
