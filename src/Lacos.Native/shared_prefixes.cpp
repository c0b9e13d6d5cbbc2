#include "shared_prefixes.h"

#include <algorithm>

namespace lacos {

std::vector<int32_t> SharedPrefixes(const int32_t* ids, const int32_t* offsets, int sentences) {
  std::vector<int32_t> shared(static_cast<size_t>(sentences));
  for (int s = 1; s < sentences; s++) {
    const int32_t* before = ids + offsets[s - 1];
    const int32_t* own = ids + offsets[s];
    const int32_t most = std::min(offsets[s] - offsets[s - 1], offsets[s + 1] - offsets[s]);
    shared[s] = static_cast<int32_t>(std::mismatch(before, before + most, own).first - before);
  }
  return shared;
}

void SharedRows::Reserve(int tokens, int sentences) {
  ids_.reserve(static_cast<size_t>(tokens));
  rows_.reserve(static_cast<size_t>(tokens));
  starts_.reserve(static_cast<size_t>(sentences));
  shared_.reserve(static_cast<size_t>(sentences));
}

void SharedRows::Set(const int32_t* ids, const int32_t* offsets, const int32_t* shared, int sentences) {
  ids_.clear();
  rows_.clear();
  starts_.clear();
  shared_.clear();
  for (int s = 0; s < sentences; s++) {
    const int32_t begin = static_cast<int32_t>(rows_.size());
    const int32_t common = s == 0 ? 0 : shared[s];
    for (int32_t i = 0; i < common; i++) rows_.push_back(rows_[starts_[s - 1] + i]);
    for (int32_t token = offsets[s] + common; token < offsets[s + 1]; token++) {
      rows_.push_back(static_cast<int32_t>(ids_.size()));
      ids_.push_back(ids[token]);
    }
    starts_.push_back(begin);
    shared_.push_back(common);
  }
}

}  // namespace lacos
