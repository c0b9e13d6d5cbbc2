// How a batch is cut so that what a part touches stays in the caches of the core that works on it.
#ifndef LACOS_BATCH_PARTS_H_
#define LACOS_BATCH_PARTS_H_

#include <cstdint>
#include <vector>

#include "shared_prefixes.h"

namespace lacos {

struct BatchPart {
  int first;  // sentences first..last
  int last;
};

// Rows that consecutive sentences need, which are fewer than their tokens where each shares its first ones with the
// sentence before it (shared_prefixes.h).
struct SentenceRows {
  const int32_t* ends;  // sentences + 1 ascending numbers; from one to the next as many as the sentence adds
  const SharedPrefix* shared;

  int Own(int first, int last) const { return ends[last] - ends[first]; }
  int Of(const BatchPart& part) const {
    const SharedPrefix& first = shared[part.first];
    return Own(part.first, part.last) + first.length(false) - first.length(true);
  }
};

// Consecutive parts of `rows` rows at most, unless a single sentence has more.
std::vector<BatchPart> PartsUpTo(const SentenceRows& batch, int sentences, int rows);

// Consecutive parts of about `rows` rows at most, the largest first, cut so that `threads` threads that claim them one
// by one end at about the same time. Empty where sentences do not allow that, such as a long one among short ones.
std::vector<BatchPart> EvenParts(const SentenceRows& batch, int sentences, int rows, int threads);

}  // namespace lacos

#endif  // LACOS_BATCH_PARTS_H_
