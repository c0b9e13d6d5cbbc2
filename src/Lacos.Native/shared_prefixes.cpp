#include "shared_prefixes.h"

#include <algorithm>

namespace lacos {

namespace {

int32_t Common(const int32_t* left, int32_t left_count, const int32_t* right, int32_t right_count) {
  const int32_t* end = left + std::min(left_count, right_count);
  return static_cast<int32_t>(std::mismatch(left, end, right).first - left);
}

}  // namespace

std::vector<SharedPrefix> SharedPrefixes(const int32_t* ids, const int32_t* offsets, int sentences,
                                         const int32_t* prompt, int prompt_tokens) {
  std::vector<SharedPrefix> shared(static_cast<size_t>(sentences));
  for (int s = 0; s < sentences; s++) {
    const int32_t* own = ids + offsets[s];
    const int32_t count = offsets[s + 1] - offsets[s];
    if (s > 0) shared[s].before = Common(own, count, ids + offsets[s - 1], offsets[s] - offsets[s - 1]);
    if (prompt_tokens > 0) shared[s].prompt = Common(own, count, prompt, prompt_tokens);
  }
  return shared;
}

void SharedRows::Reserve(int tokens, int sentences) {
  ids_.reserve(static_cast<size_t>(tokens));
  rows_.reserve(static_cast<size_t>(tokens));
  starts_.reserve(static_cast<size_t>(sentences));
  shared_.reserve(static_cast<size_t>(sentences));
}

void SharedRows::Set(const int32_t* ids, const int32_t* offsets, const SharedPrefix* shared, int sentences) {
  ids_.clear();
  rows_.clear();
  starts_.clear();
  shared_.clear();
  for (int s = 0; s < sentences; s++) {
    const int32_t begin = static_cast<int32_t>(rows_.size());
    const int32_t common = shared[s].length(s == 0);
    const bool from_prompt = common == shared[s].prompt;
    for (int32_t i = 0; i < common; i++) rows_.push_back(from_prompt ? ~i : rows_[starts_[s - 1] + i]);
    for (int32_t token = offsets[s] + common; token < offsets[s + 1]; token++) {
      rows_.push_back(static_cast<int32_t>(ids_.size()));
      ids_.push_back(ids[token]);
    }
    starts_.push_back(begin);
    shared_.push_back(common);
  }
}

}  // namespace lacos
