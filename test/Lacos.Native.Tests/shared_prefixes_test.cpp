// Sentences that begin alike are computed once there, and nobody can tell: not a bit differs from each alone.
#include "shared_prefixes.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "random_model.h"
#include "test_kernels.h"

namespace lacos {
namespace {

std::vector<SharedPrefix> Shared(const Sentences& batch, const std::vector<int32_t>& prompt = {}) {
  return SharedPrefixes(batch.ids.data(), batch.offsets.data(), static_cast<int>(batch.rows()), prompt.data(),
                        static_cast<int>(prompt.size()));
}

Sentences Of(const std::vector<std::vector<int32_t>>& sentences) {
  Sentences batch;
  for (const auto& sentence : sentences) batch.Add(sentence);
  return batch;
}

TEST(SharedPrefixes, AreTheLongestWithTheSentenceBeforeAndWithThePrompt) {
  const std::vector<SharedPrefix> shared =
      Shared(Of({{1, 2, 3}, {1, 2, 4, 5}, {1, 2, 4}, {}, {7}, {6, 2, 4}, {6, 2, 4}, {6, 1}}), {1, 2, 4, 9});
  const std::vector<int> before = {0, 2, 3, 0, 0, 0, 3, 1}, prompt = {2, 3, 3, 0, 0, 0, 0, 0};
  ASSERT_EQ(before.size(), shared.size());
  for (size_t i = 0; i < shared.size(); i++) {
    EXPECT_EQ(before[i], shared[i].before) << i;
    EXPECT_EQ(prompt[i], shared[i].prompt) << i;
  }
  EXPECT_TRUE(Shared(Sentences()).empty());
}

std::vector<int32_t> RowsOf(const SharedRows& rows, int sentence, int tokens) {
  return std::vector<int32_t>(rows.of(sentence), rows.of(sentence) + tokens);
}

TEST(SharedRows, AreThoseOfEarlierSentencesForWhatTheyShare) {
  const Sentences batch = Of({{9}, {1, 2, 3}, {1, 2, 4, 5}, {1, 2, 4}, {}, {1, 2, 4}});
  const std::vector<SharedPrefix> shared = Shared(batch);
  SharedRows rows;
  // Without the first sentence.
  rows.Set(batch.ids.data(), batch.offsets.data() + 1, shared.data() + 1, 5);
  EXPECT_EQ((std::vector<int32_t>{1, 2, 3, 4, 5, 1, 2, 4}),
            std::vector<int32_t>(rows.ids(), rows.ids() + rows.count()));
  EXPECT_EQ((std::vector<int32_t>{0, 1, 3, 4}), RowsOf(rows, 1, 4));
  EXPECT_EQ((std::vector<int32_t>{0, 1, 3}), RowsOf(rows, 2, 3));
  EXPECT_EQ((std::vector<int32_t>{5, 6, 7}), RowsOf(rows, 4, 3));
  EXPECT_EQ(0, rows.shared(0));
  EXPECT_EQ(2, rows.shared(1));
  EXPECT_EQ(3, rows.shared(2));
}

TEST(SharedRows, AreThoseOfThePromptWhereItReachesFurther) {
  const Sentences batch = Of({{1, 2, 3, 4}, {1, 2, 3, 5}, {}, {1, 2, 3}, {1, 2, 3, 5}});
  const std::vector<SharedPrefix> shared = Shared(batch, {1, 2, 6});
  SharedRows rows;
  rows.Set(batch.ids.data(), batch.offsets.data(), shared.data(), 5);
  EXPECT_EQ((std::vector<int32_t>{3, 4, 5, 3, 5}), std::vector<int32_t>(rows.ids(), rows.ids() + rows.count()));
  EXPECT_EQ((std::vector<int32_t>{~0, ~1, 0, 1}), RowsOf(rows, 0, 4));
  EXPECT_EQ((std::vector<int32_t>{~0, ~1, 0, 2}), RowsOf(rows, 1, 4));
  EXPECT_EQ((std::vector<int32_t>{~0, ~1, 3}), RowsOf(rows, 3, 3));
  EXPECT_EQ((std::vector<int32_t>{~0, ~1, 3, 4}), RowsOf(rows, 4, 4));
}

TEST(SharedRows, WhatComesBeforeTheFirstSentenceIsNotShared) {
  const Sentences batch = Of({{1, 2, 3}, {1, 2, 3}, {1, 2}});
  const std::vector<SharedPrefix> shared = Shared(batch);
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
  static int Scheme() {
    return std::get<1>(GetParam()) == LACOS_COMPUTE_FLOAT32 ? LACOS_SCHEME_NONE : LACOS_SCHEME_ROWWISE;
  }

  void ExpectEachAsAlone(const std::vector<std::vector<int32_t>>& sentences, const std::vector<int32_t>& prompt = {},
                         float outlier_threshold = 0) const {
    const RandomModel model({kHidden, 2, 5, kVocabulary, false}, Scheme(), 16);
    const auto make = [&](int threads) {
      return Create(model, {std::get<1>(GetParam()), outlier_threshold, threads, std::get<0>(GetParam())});
    };
    const ModelHandle one = make(1);
    std::vector<std::vector<float>> alone;
    for (const auto& sentence : sentences) alone.push_back(Encode(one.get(), Of({sentence}), kHidden, kPooling));
    for (const int threads : {1, 3}) {
      const ModelHandle handle = make(threads);
      const PromptHandle kept = prompt.empty() ? nullptr : CreatePrompt(handle.get(), prompt);
      const std::vector<float> together = Encode(handle.get(), Of(sentences), kHidden, kPooling, kept.get());
      for (size_t i = 0; i < sentences.size(); i++) {
        ASSERT_TRUE(std::equal(alone[i].begin(), alone[i].end(), together.begin() + i * alone[i].size()))
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
  if (std::get<1>(GetParam()) == LACOS_COMPUTE_INT8) ExpectEachAsAlone(Alike(40, 6, 8), {}, 2.5f);
}

TEST_P(SharingSentences, MayShareAPrompt) {
  for (const int length : {1, 9, 40}) {
    const std::vector<std::vector<int32_t>> sentences = Alike(40, length, 9 + length);
    // The longest of them begins with all of what most begin with.
    std::vector<int32_t> prompt =
        *std::max_element(sentences.begin(), sentences.end(),
                          [](const auto& left, const auto& right) { return left.size() < right.size(); });
    prompt.resize(length);
    ExpectEachAsAlone(sentences, prompt);
    ExpectEachAsAlone({sentences[20]}, prompt);
    ExpectEachAsAlone({prompt, prompt}, prompt);
    prompt.back() = (prompt.back() + 1) % kVocabulary;
    ExpectEachAsAlone(sentences, prompt);
  }
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

TEST(Prompts, AreOfOneModelWithoutOutliers) {
  const RandomModel model({32, 2, 4, kVocabulary, false}, LACOS_SCHEME_ROWWISE, 17);
  const ModelHandle one = Create(model, {}), other = Create(model, {});
  const PromptHandle prompt = CreatePrompt(one.get(), {1, 2, 3});
  EXPECT_GE(lacos_prompt_memory(prompt.get()), 3 * (2 * 3 + 1) * 32 * 4);
  const std::vector<int32_t> ids = {1, 2, 3, 4}, offsets = {0, 4};
  std::vector<float> y(32);
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_encode(other.get(), prompt.get(), ids.data(), 4, offsets.data(), 1, nullptr,
                                                 LACOS_POOL_MEAN, 0, 0, y.data(), 32));
  EXPECT_STREQ("The prompt is that of another model.", lacos_last_error());

  const ModelHandle outliers = Create(model, {LACOS_COMPUTE_INT8, 3.0f, 1, ""});
  lacos_prompt* refused = prompt.get();
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_prompt_create(outliers.get(), ids.data(), 4, &refused));
  EXPECT_EQ(nullptr, refused);
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_prompt_create(one.get(), ids.data(), 0, &refused));
  const int32_t unknown = kVocabulary;
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_prompt_create(one.get(), &unknown, 1, &refused));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_prompt_create(one.get(), nullptr, 1, &refused));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_prompt_create(nullptr, ids.data(), 4, &refused));
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_prompt_create(one.get(), ids.data(), 4, nullptr));
  lacos_prompt_destroy(nullptr);
  EXPECT_EQ(0, lacos_prompt_memory(nullptr));
}

// The table is read for each token that is computed: what is changed in it behind the model's back shows which are.
TEST(Prompts, AreNotComputedAgain) {
  RandomModel model({32, 2, 4, kVocabulary, false}, LACOS_SCHEME_ROWWISE, 19);
  const ModelHandle handle = Create(model, {});
  const PromptHandle prompt = CreatePrompt(handle.get(), {5, 6, 7});
  const Sentences batch = Of({{5, 6, 7, 8}, {5, 6, 7, 9, 10}, {5, 6, 11}});
  const std::vector<float> before = Encode(handle.get(), batch, 32, LACOS_POOL_MEAN, prompt.get());
  EXPECT_EQ(before, Encode(handle.get(), batch, 32, LACOS_POOL_MEAN));
  for (int i = 5 * 32; i < 8 * 32; i++) model.embeddings.codes[i] = static_cast<int8_t>(i);
  EXPECT_EQ(before, Encode(handle.get(), batch, 32, LACOS_POOL_MEAN, prompt.get()));
  EXPECT_NE(before, Encode(handle.get(), batch, 32, LACOS_POOL_MEAN));
}

TEST(Prompts, OutliveTheirModel) {
  const RandomModel model({32, 2, 4, kVocabulary, false}, LACOS_SCHEME_ROWWISE, 18);
  ModelHandle first = Create(model, {});
  const PromptHandle prompt = CreatePrompt(first.get(), {5, 6});
  first.reset();
  // At the same address, perhaps.
  const ModelHandle second = Create(model, {});
  const std::vector<int32_t> ids = {5, 6}, offsets = {0, 2};
  std::vector<float> y(32);
  EXPECT_EQ(LACOS_INVALID_ARGUMENT, lacos_encode(second.get(), prompt.get(), ids.data(), 2, offsets.data(), 1, nullptr,
                                                 LACOS_POOL_MEAN, 0, 0, y.data(), 32));
}

}  // namespace
}  // namespace lacos
