// Sentences that begin alike are computed once there, and nobody can tell: not a bit differs from each alone.
#include "shared_prefixes.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "random_model.h"
#include "test_kernels.h"

namespace lacos {
namespace {

std::vector<int32_t> Shared(const Sentences& batch) {
  return SharedPrefixes(batch.ids.data(), batch.offsets.data(), static_cast<int>(batch.rows()));
}

Sentences Of(const std::vector<std::vector<int32_t>>& sentences) {
  Sentences batch;
  for (const auto& sentence : sentences) batch.Add(sentence);
  return batch;
}

TEST(SharedPrefixes, AreTheLongestWithTheSentenceBefore) {
  EXPECT_EQ((std::vector<int32_t>{0, 2, 3, 0, 0, 0, 3, 1}),
            Shared(Of({{1, 2, 3}, {1, 2, 4, 5}, {1, 2, 4}, {}, {7}, {6, 2, 4}, {6, 2, 4}, {6, 1}})));
  EXPECT_TRUE(Shared(Sentences()).empty());
}

TEST(SharedRows, AreThoseOfEarlierSentencesForWhatTheyShare) {
  const Sentences batch = Of({{9}, {1, 2, 3}, {1, 2, 4, 5}, {1, 2, 4}, {}, {1, 2, 4}});
  const std::vector<int32_t> shared = Shared(batch);
  SharedRows rows;
  // Without the first sentence.
  rows.Set(batch.ids.data(), batch.offsets.data() + 1, shared.data() + 1, 5);
  EXPECT_EQ((std::vector<int32_t>{1, 2, 3, 4, 5, 1, 2, 4}), std::vector<int32_t>(rows.ids(), rows.ids() + rows.count()));
  EXPECT_EQ((std::vector<int32_t>{0, 1, 3, 4}), std::vector<int32_t>(rows.of(1), rows.of(1) + 4));
  EXPECT_EQ((std::vector<int32_t>{0, 1, 3}), std::vector<int32_t>(rows.of(2), rows.of(2) + 3));
  EXPECT_EQ((std::vector<int32_t>{5, 6, 7}), std::vector<int32_t>(rows.of(4), rows.of(4) + 3));
  EXPECT_EQ(0, rows.shared(0));
  EXPECT_EQ(2, rows.shared(1));
  EXPECT_EQ(3, rows.shared(2));
}

TEST(SharedRows, WhatComesBeforeTheFirstSentenceIsNotShared) {
  const Sentences batch = Of({{1, 2, 3}, {1, 2, 3}, {1, 2}});
  const std::vector<int32_t> shared = Shared(batch);
  SharedRows rows;
  rows.Set(batch.ids.data(), batch.offsets.data() + 1, shared.data() + 1, 2);
  EXPECT_EQ(3, rows.count());
  EXPECT_EQ(0, rows.shared(0));
  EXPECT_EQ(2, rows.shared(1));
}

constexpr int kPooling = LACOS_POOL_FIRST | LACOS_POOL_MAX | LACOS_POOL_MEAN | LACOS_POOL_MEAN_SQRT |
                         LACOS_POOL_WEIGHTED_MEAN | LACOS_POOL_LAST;
constexpr int kHidden = 80;
constexpr int kVocabulary = 64;

class SharingSentences : public testing::TestWithParam<std::tuple<std::string, int>> {
 protected:
  void ExpectEachAsAlone(const std::vector<std::vector<int32_t>>& sentences, float outlier_threshold = 0) const {
    const int compute = std::get<1>(GetParam());
    const RandomModel model({kHidden, 2, 5, kVocabulary, false},
                            compute == LACOS_COMPUTE_FLOAT32 ? LACOS_SCHEME_NONE : LACOS_SCHEME_ROWWISE, 16);
    for (const int threads : {1, 3}) {
      const ModelHandle handle = Create(model, {compute, outlier_threshold, threads, std::get<0>(GetParam())});
      const std::vector<float> together = Encode(handle.get(), Of(sentences), kHidden, kPooling);
      const size_t width = together.size() / sentences.size();
      for (size_t i = 0; i < sentences.size(); i++) {
        const std::vector<float> alone = Encode(handle.get(), Of({sentences[i]}), kHidden, kPooling);
        ASSERT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + i * width))
            << "sentence " << i << " of " << sentences.size() << ", " << threads << " threads";
      }
    }
  }

  // Sentences behind one beginning, of which some begin each other, sorted as a caller would.
  static std::vector<std::vector<int32_t>> Alike(int count, int prompt, uint32_t seed) {
    Numbers numbers(seed);
    const std::vector<int32_t> beginning = RandomSentence(numbers, prompt, kVocabulary);
    std::vector<std::vector<int32_t>> sentences;
    for (int i = 0; i < count; i++) {
      std::vector<int32_t> sentence = beginning;
      if (i > 0 && numbers.Whole(0, 1) == 0) {
        const auto& other = sentences[numbers.Whole(0, i - 1)];
        sentence.assign(other.begin(), other.begin() + numbers.Whole(0, static_cast<int>(other.size())));
      }
      for (const int32_t id : RandomSentence(numbers, numbers.Whole(0, 20), kVocabulary)) sentence.push_back(id);
      sentences.push_back(sentence);
    }
    std::sort(sentences.begin(), sentences.end());
    return sentences;
  }
};

TEST_P(SharingSentences, GiveTheVectorsOfEachAlone) {
  ExpectEachAsAlone(Alike(60, 9, 1));
  ExpectEachAsAlone(Alike(30, 33, 2));
  ExpectEachAsAlone(Alike(12, 0, 3));
}

TEST_P(SharingSentences, InAnyOrder) {
  std::vector<std::vector<int32_t>> sentences = Alike(40, 5, 4);
  std::reverse(sentences.begin(), sentences.end());
  ExpectEachAsAlone(sentences);
  Numbers numbers(5);
  for (size_t i = sentences.size(); i > 1; i--) {
    std::swap(sentences[i - 1], sentences[numbers.Whole(0, static_cast<int>(i) - 1)]);
  }
  ExpectEachAsAlone(sentences);
}

TEST_P(SharingSentences, MayBeTheSame) {
  Numbers numbers(6);
  const std::vector<int32_t> sentence = RandomSentence(numbers, 21, kVocabulary);
  ExpectEachAsAlone(std::vector<std::vector<int32_t>>(50, sentence));
  ExpectEachAsAlone({sentence, sentence, {}, {}, {sentence[0]}, sentence});
}

TEST_P(SharingSentences, MayBeLong) {
  Numbers numbers(7);
  std::vector<int32_t> sentence = RandomSentence(numbers, 300, kVocabulary);
  std::vector<std::vector<int32_t>> sentences{sentence};
  for (int i = 0; i < 5; i++) {
    sentence.resize(sentence.size() - 37);
    sentences.push_back(sentence);
    sentences.back().push_back((sentence.back() + 1) % kVocabulary);
  }
  ExpectEachAsAlone(sentences);
}

// A column may be an outlier for the words of one sentence and not for those of another that begins like it.
TEST_P(SharingSentences, DoNotShareOutlierColumns) {
  if (std::get<1>(GetParam()) == LACOS_COMPUTE_INT8) ExpectEachAsAlone(Alike(40, 6, 8), 2.5f);
}

std::string Name(const testing::TestParamInfo<std::tuple<std::string, int>>& info) {
  static const char* const modes[] = {"int8", "weightonly", "float32"};
  return std::get<0>(info.param) + "_" + modes[std::get<1>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Kernels, SharingSentences,
                         testing::Combine(testing::ValuesIn(UsableKernels()),
                                          testing::Values(LACOS_COMPUTE_INT8, LACOS_COMPUTE_WEIGHT_ONLY,
                                                          LACOS_COMPUTE_FLOAT32)),
                         Name);

}  // namespace
}  // namespace lacos
