// Sentences that begin alike. In a causal model a token's states depend on the tokens before it and on itself alone, so
// the first tokens that two sentences share have the same states in both, bit for bit: they need one row, not two, and
// none at all where a prompt (prompt.h) holds the states already. Batches of texts behind one prompt, of near
// duplicates, or of sorted texts have many such tokens.
#ifndef LACOS_SHARED_PREFIXES_H_
#define LACOS_SHARED_PREFIXES_H_

#include <cstdint>
#include <vector>

namespace lacos {

// Of one sentence.
struct SharedPrefix {
  int32_t before;  // leading tokens that the sentence before it begins with too; 0 for the first
  int32_t prompt;  // leading tokens that the prompt begins with too

  // Leading tokens that need no row of their own. Of the first sentence of a part only the prompt comes before.
  int32_t length(bool is_first) const { return is_first || prompt > before ? prompt : before; }
};

std::vector<SharedPrefix> SharedPrefixes(const int32_t* ids, const int32_t* offsets, int sentences,
                                         const int32_t* prompt, int prompt_tokens);

// The rows of consecutive sentences that share their first tokens.
class SharedRows {
 public:
  // No Set within these numbers allocates afterwards.
  void Reserve(int tokens, int sentences);
  void Set(const int32_t* ids, const int32_t* offsets, const SharedPrefix* shared, int sentences);

  int count() const { return static_cast<int>(ids_.size()); }
  // Of each row.
  const int32_t* ids() const { return ids_.data(); }
  // The row of each token of a sentence, as in TokenRows. The tokens behind the shared ones have consecutive rows.
  const int32_t* of(int sentence) const { return rows_.data() + starts_[sentence]; }
  // Leading tokens of a sentence whose rows are those of earlier sentences or of the prompt.
  int shared(int sentence) const { return shared_[sentence]; }

 private:
  std::vector<int32_t> ids_;
  std::vector<int32_t> rows_;
  std::vector<int32_t> starts_;
  std::vector<int32_t> shared_;
};

}  // namespace lacos

#endif  // LACOS_SHARED_PREFIXES_H_
