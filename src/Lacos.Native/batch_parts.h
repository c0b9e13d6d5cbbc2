// How a batch is cut so that what a part touches stays in the caches of the core that works on it.
#ifndef LACOS_BATCH_PARTS_H_
#define LACOS_BATCH_PARTS_H_

#include <cstdint>
#include <vector>

namespace lacos {

struct BatchPart {
  int first;  // sentences first..last
  int last;
};

// Consecutive parts of about `tokens` tokens, at most that unless a single sentence has more.
std::vector<BatchPart> PartsUpTo(const int32_t* offsets, int sentences, int tokens);

// Consecutive parts of about `tokens` tokens at most, cut so that `threads` threads that claim them one by one end at
// about the same time. Empty where sentences do not allow that, such as a long one among short ones.
std::vector<BatchPart> EvenParts(const int32_t* offsets, int sentences, int tokens, int threads);

}  // namespace lacos

#endif  // LACOS_BATCH_PARTS_H_
