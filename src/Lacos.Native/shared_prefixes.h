// Sentences that begin alike. In a causal model a token's states depend on the tokens before it and on itself alone, so
// the first tokens that two sentences share have the same states in both, bit for bit: they need one row, not two.
// Batches of texts behind one prompt, of near duplicates, or of sorted texts have many.
#ifndef LACOS_SHARED_PREFIXES_H_
#define LACOS_SHARED_PREFIXES_H_

#include <cstdint>
#include <vector>

namespace lacos {

// Leading tokens of each sentence that the sentence before it begins with too; 0 for the first.
std::vector<int32_t> SharedPrefixes(const int32_t* ids, const int32_t* offsets, int sentences);

// The rows of consecutive sentences in which each shares its leading tokens with the one before.
class SharedRows {
 public:
  // No Set within these numbers allocates afterwards.
  void Reserve(int tokens, int sentences);

  // shared: as SharedPrefixes gives it; of the first sentence it is not read, as what comes before is not in here.
  void Set(const int32_t* ids, const int32_t* offsets, const int32_t* shared, int sentences);

  int count() const { return static_cast<int>(ids_.size()); }
  // Of each row.
  const int32_t* ids() const { return ids_.data(); }
  // The row of each token of a sentence. The tokens behind the shared ones have consecutive rows.
  const int32_t* of(int sentence) const { return rows_.data() + starts_[sentence]; }
  // Leading tokens of a sentence whose rows are those of earlier sentences.
  int shared(int sentence) const { return shared_[sentence]; }

 private:
  std::vector<int32_t> ids_;
  std::vector<int32_t> rows_;
  std::vector<int32_t> starts_;
  std::vector<int32_t> shared_;
};

}  // namespace lacos

#endif  // LACOS_SHARED_PREFIXES_H_
