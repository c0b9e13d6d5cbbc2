// Parts hold every sentence once and in order; even ones leave no thread waiting.
#include "batch_parts.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "numbers.h"

namespace lacos {
namespace {

std::vector<int32_t> Offsets(const std::vector<int>& lengths) {
  std::vector<int32_t> offsets{7};
  for (const int length : lengths) offsets.push_back(offsets.back() + length);
  return offsets;
}

void ExpectAllInOrder(const std::vector<BatchPart>& parts, int sentences) {
  int next = 0;
  for (const BatchPart& part : parts) {
    EXPECT_EQ(next, part.first);
    EXPECT_LT(part.first, part.last);
    next = part.last;
  }
  EXPECT_EQ(sentences, next);
}

int64_t LongestThread(const std::vector<BatchPart>& parts, const std::vector<int32_t>& offsets, int threads) {
  std::vector<int64_t> ends(threads);
  for (const BatchPart& part : parts) {
    *std::min_element(ends.begin(), ends.end()) += offsets[part.last] - offsets[part.first];
  }
  return *std::max_element(ends.begin(), ends.end());
}

TEST(BatchParts, OneSentenceMayExceedTheLimitAndNothingElse) {
  const std::vector<int32_t> offsets = Offsets({30, 500, 0, 60, 41, 0, 99});
  const std::vector<BatchPart> parts = PartsUpTo(offsets.data(), 7, 100);
  ExpectAllInOrder(parts, 7);
  for (const BatchPart& part : parts) {
    EXPECT_TRUE(offsets[part.last] - offsets[part.first] <= 100 || part.last == part.first + 1);
  }
  EXPECT_EQ(5u, parts.size());
}

TEST(BatchParts, EqualSentencesGoEvenlyToTheThreads) {
  for (const int threads : {2, 3, 8}) {
    const std::vector<int32_t> offsets = Offsets(std::vector<int>(16 * threads, 20));
    const std::vector<BatchPart> parts = EvenParts(offsets.data(), 16 * threads, 112, threads);
    ExpectAllInOrder(parts, 16 * threads);
    EXPECT_LE(LongestThread(parts, offsets, threads), 320 + 20) << "a sentence more than its share at most";
    for (const BatchPart& part : parts) EXPECT_LE(offsets[part.last] - offsets[part.first], 112 + 20);
  }
}

TEST(BatchParts, WhatIsCalledEvenIsEven) {
  Numbers numbers(3);
  int even = 0;
  for (int trial = 0; trial < 500; trial++) {
    std::vector<int> lengths(numbers.Whole(1, 60));
    for (int& length : lengths) length = numbers.Whole(0, 60);
    const int threads = numbers.Whole(2, 6), sentences = static_cast<int>(lengths.size());
    const std::vector<int32_t> offsets = Offsets(lengths);
    const std::vector<BatchPart> parts = EvenParts(offsets.data(), sentences, 112, threads);
    if (parts.empty()) continue;
    even++;
    ExpectAllInOrder(parts, sentences);
    EXPECT_LE(LongestThread(parts, offsets, threads) * threads, 1.1 * (offsets.back() - offsets[0]));
  }
  EXPECT_GT(even, 100);
}

TEST(BatchParts, ALongSentenceAmongShortOnesIsSharedByTheThreads) {
  std::vector<int> lengths(20, 5);
  lengths[3] = 1000;
  EXPECT_TRUE(EvenParts(Offsets(lengths).data(), 20, 112, 2).empty());
  EXPECT_TRUE(EvenParts(Offsets({20}).data(), 1, 112, 2).empty());
  EXPECT_TRUE(EvenParts(Offsets({}).data(), 0, 112, 2).empty());
}

}  // namespace
}  // namespace lacos
