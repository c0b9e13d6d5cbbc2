// Parts hold every sentence once and in order; even ones leave no thread waiting.
#include "batch_parts.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "numbers.h"

namespace lacos {
namespace {

struct Batch {
  std::vector<int32_t> ends{7};
  std::vector<SharedPrefix> shared;

  // prefixes: nothing is shared where they are left out.
  explicit Batch(const std::vector<int>& lengths, const std::vector<SharedPrefix>& prefixes = {}) : shared(prefixes) {
    shared.resize(lengths.size());
    for (size_t i = 0; i < lengths.size(); i++) {
      ends.push_back(ends.back() + lengths[i] - shared[i].length(i == 0));
    }
  }
  SentenceRows rows() const { return {ends.data(), shared.data()}; }
  int sentences() const { return static_cast<int>(shared.size()); }
};

void ExpectAllOnce(std::vector<BatchPart> parts, int sentences) {
  std::sort(parts.begin(), parts.end(),
            [](const BatchPart& left, const BatchPart& right) { return left.first < right.first; });
  int next = 0;
  for (const BatchPart& part : parts) {
    EXPECT_EQ(next, part.first);
    EXPECT_LT(part.first, part.last);
    next = part.last;
  }
  EXPECT_EQ(sentences, next);
}

int64_t LongestThread(const std::vector<BatchPart>& parts, const Batch& batch, int threads) {
  std::vector<int64_t> ends(threads);
  for (const BatchPart& part : parts) *std::min_element(ends.begin(), ends.end()) += batch.rows().Of(part);
  return *std::max_element(ends.begin(), ends.end());
}

TEST(BatchParts, OneSentenceMayExceedTheLimitAndNothingElse) {
  const Batch batch({30, 500, 0, 60, 41, 0, 99});
  const std::vector<BatchPart> parts = PartsUpTo(batch.rows(), 7, 100);
  ExpectAllOnce(parts, 7);
  for (const BatchPart& part : parts) {
    EXPECT_TRUE(batch.rows().Of(part) <= 100 || part.last == part.first + 1);
  }
  EXPECT_EQ(5u, parts.size());
}

TEST(BatchParts, WhatIsSharedCountsOnceAPart) {
  const Batch batch({40, 45, 42, 40, 60}, {{0, 0}, {38, 0}, {40, 0}, {40, 0}, {20, 0}});
  const std::vector<BatchPart> parts = PartsUpTo(batch.rows(), 5, 50);
  ExpectAllOnce(parts, 5);
  ASSERT_EQ(2u, parts.size());
  EXPECT_EQ(4, parts[0].last) << "40 + 7 + 2 + 0";
  EXPECT_EQ(49, batch.rows().Of(parts[0]));
  EXPECT_EQ(60, batch.rows().Of(parts[1]));
}

TEST(BatchParts, ThePromptCountsInNoPart) {
  const Batch batch({40, 45, 42, 40, 60}, {{0, 30}, {30, 30}, {33, 30}, {30, 30}, {0, 10}});
  const std::vector<BatchPart> parts = PartsUpTo(batch.rows(), 5, 33);
  ExpectAllOnce(parts, 5);
  ASSERT_EQ(3u, parts.size());
  EXPECT_EQ(2, parts[0].last) << "10 + 15";
  EXPECT_EQ(25, batch.rows().Of(parts[0]));
  EXPECT_EQ(22, batch.rows().Of(parts[1])) << "12, not 9, + 10";
  EXPECT_EQ(50, batch.rows().Of(parts[2]));
}

TEST(BatchParts, EqualSentencesGoEvenlyToTheThreads) {
  for (const int threads : {2, 3, 8}) {
    const Batch batch(std::vector<int>(16 * threads, 20));
    const std::vector<BatchPart> parts = EvenParts(batch.rows(), 16 * threads, 112, threads);
    ExpectAllOnce(parts, 16 * threads);
    EXPECT_LE(LongestThread(parts, batch, threads), 320 + 20) << "a sentence more than its share at most";
    for (const BatchPart& part : parts) EXPECT_LE(batch.rows().Of(part), 112 + 20);
  }
}

TEST(BatchParts, WhatIsCalledEvenIsEven) {
  Numbers numbers(3);
  int even = 0;
  for (int trial = 0; trial < 500; trial++) {
    std::vector<int> lengths(numbers.Whole(1, 60));
    for (int& length : lengths) length = numbers.Whole(0, 60);
    const int threads = numbers.Whole(2, 6), sentences = static_cast<int>(lengths.size());
    std::vector<SharedPrefix> shared(lengths.size());
    for (int i = 1; i < sentences; i++) {
      shared[i].before = trial % 2 * numbers.Whole(0, std::min(lengths[i - 1], lengths[i]));
      shared[i].prompt = trial % 3 * numbers.Whole(0, lengths[i] / 3);
    }
    const Batch batch(lengths, shared);
    const std::vector<BatchPart> parts = EvenParts(batch.rows(), sentences, 112, threads);
    if (parts.empty()) continue;
    even++;
    ExpectAllOnce(parts, sentences);
    int64_t all = 0;
    for (const BatchPart& part : parts) all += batch.rows().Of(part);
    EXPECT_LE(LongestThread(parts, batch, threads) * threads, 1.1 * all);
  }
  EXPECT_GT(even, 100);
}

TEST(BatchParts, LargePartsAreClaimedFirst) {
  Numbers numbers(4);
  std::vector<int> lengths(200);
  for (int& length : lengths) length = numbers.Whole(1, 60);
  lengths[190] = 400;
  const Batch batch(lengths);
  const std::vector<BatchPart> parts = EvenParts(batch.rows(), 200, 112, 4);
  ASSERT_FALSE(parts.empty()) << "a long sentence at the end delays nobody";
  ExpectAllOnce(parts, 200);
  for (size_t i = 1; i < parts.size(); i++) EXPECT_GE(batch.rows().Of(parts[i - 1]), batch.rows().Of(parts[i]));
}

TEST(BatchParts, ALongSentenceAmongShortOnesIsSharedByTheThreads) {
  std::vector<int> lengths(20, 5);
  lengths[3] = 1000;
  EXPECT_TRUE(EvenParts(Batch(lengths).rows(), 20, 112, 2).empty());
  EXPECT_TRUE(EvenParts(Batch({20}).rows(), 1, 112, 2).empty());
  EXPECT_TRUE(EvenParts(Batch({}).rows(), 0, 112, 2).empty());
}

}  // namespace
}  // namespace lacos
