// A sentence's vector is the same bits alone, in any batch, in any order, with any number of threads and callers.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <thread>

#include "random_model.h"
#include "test_kernels.h"

namespace lacos {
namespace {

constexpr int kPooling = LACOS_POOL_FIRST | LACOS_POOL_MAX | LACOS_POOL_MEAN | LACOS_POOL_MEAN_SQRT |
                         LACOS_POOL_WEIGHTED_MEAN | LACOS_POOL_LAST;

class Invariance : public testing::TestWithParam<std::tuple<std::string, int>> {
 protected:
  static constexpr int kHidden = 80;

  void SetUp() override {
    const int compute = std::get<1>(GetParam());
    const int scheme = compute == LACOS_COMPUTE_FLOAT32 ? LACOS_SCHEME_NONE : LACOS_SCHEME_ROWWISE;
    model_ = std::make_unique<RandomModel>(Shape{kHidden, 2, 5, 64, false}, scheme, 6);
    Numbers numbers(7);
    for (int i = 0; i < 40; i++) sentences_.push_back(RandomSentence(numbers, numbers.Whole(0, 40), 64));
    sentences_.push_back(RandomSentence(numbers, 130, 64));
    const ModelHandle one = Make(1);
    for (const auto& sentence : sentences_) {
      Sentences alone;
      alone.Add(sentence);
      alone_.push_back(Encode(one.get(), alone, kHidden, kPooling));
    }
  }

  ModelHandle Make(int threads) const {
    return Create(*model_, {std::get<1>(GetParam()), 0, threads, std::get<0>(GetParam())});
  }

  void ExpectSame(const lacos_model* model, const std::vector<int>& order) const {
    Sentences batch;
    for (const int i : order) batch.Add(sentences_[i]);
    const std::vector<float> y = Encode(model, batch, kHidden, kPooling);
    const size_t width = alone_[0].size();
    for (size_t i = 0; i < order.size(); i++) {
      ASSERT_TRUE(std::equal(alone_[order[i]].begin(), alone_[order[i]].end(), y.begin() + i * width))
          << "sentence " << order[i] << " at " << i << " of " << order.size();
    }
  }

  std::unique_ptr<RandomModel> model_;
  std::vector<std::vector<int32_t>> sentences_;
  std::vector<std::vector<float>> alone_;
};

TEST_P(Invariance, BatchAndOrderDoNotChangeABit) {
  const ModelHandle model = Make(1);
  Numbers numbers(8);
  std::vector<int> order(sentences_.size());
  std::iota(order.begin(), order.end(), 0);
  ExpectSame(model.get(), order);
  for (int trial = 0; trial < 10; trial++) {
    for (size_t i = order.size(); i > 1; i--) std::swap(order[i - 1], order[numbers.Whole(0, static_cast<int>(i) - 1)]);
    ExpectSame(model.get(),
               std::vector<int>(order.begin(), order.begin() + numbers.Whole(1, static_cast<int>(order.size()))));
  }
}

TEST_P(Invariance, ThreadsDoNotChangeABit) {
  std::vector<int> order(sentences_.size());
  std::iota(order.begin(), order.end(), 0);
  for (const int threads : {2, 3, 7}) {
    const ModelHandle model = Make(threads);
    for (int trial = 0; trial < 3; trial++) ExpectSame(model.get(), order);
  }
}

TEST_P(Invariance, CallersAtTheSameTimeDoNotChangeABit) {
  const ModelHandle model = Make(2);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; caller++) {
    callers.emplace_back([&, caller] {
      for (int trial = 0; trial < 5; trial++) {
        std::vector<int> order;
        for (int i = caller; i < static_cast<int>(sentences_.size()); i += 1 + caller) order.push_back(i);
        ExpectSame(model.get(), order);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

// Blocks that do not fit a core's caches: each thread takes parts of a batch where its kernels do, or shares each
// layer.
class LargeBlocks : public testing::TestWithParam<std::string> {};

TEST_P(LargeBlocks, PartsAndThreadsDoNotChangeABit) {
  constexpr int kWidth = 896;  // 9.6 MB of weights in a block
  const RandomModel shape(Shape{kWidth, 1, 14, 64, false}, LACOS_SCHEME_ROWWISE, 16);
  Numbers numbers(17);
  Sentences batch;
  std::vector<std::vector<int32_t>> sentences;
  for (int i = 0; i < 12; i++) {
    sentences.push_back(RandomSentence(numbers, numbers.Whole(1, 45), 64));
    batch.Add(sentences.back());
  }
  const ModelHandle one = Create(shape, {LACOS_COMPUTE_INT8, 0, 1, GetParam()});
  std::vector<float> alone;
  for (const auto& sentence : sentences) {
    Sentences single;
    single.Add(sentence);
    const std::vector<float> vector = Encode(one.get(), single, kWidth, LACOS_POOL_MEAN);
    alone.insert(alone.end(), vector.begin(), vector.end());
  }
  for (const int threads : {1, 2, 3, 5}) {
    const ModelHandle model = Create(shape, {LACOS_COMPUTE_INT8, 0, threads, GetParam()});
    EXPECT_EQ(alone, Encode(model.get(), batch, kWidth, LACOS_POOL_MEAN)) << threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, LargeBlocks, testing::ValuesIn(UsableKernels()),
                         [](const auto& info) { return info.param; });

std::string Name(const testing::TestParamInfo<std::tuple<std::string, int>>& info) {
  static const char* const modes[] = {"int8", "weightonly", "float32"};
  return std::get<0>(info.param) + "_" + modes[std::get<1>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Kernels, Invariance,
                         testing::Combine(testing::ValuesIn(UsableKernels()),
                                          testing::Values(LACOS_COMPUTE_INT8, LACOS_COMPUTE_WEIGHT_ONLY,
                                                          LACOS_COMPUTE_FLOAT32)),
                         Name);

}  // namespace
}  // namespace lacos
