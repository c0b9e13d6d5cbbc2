// Several models and many callers at once: short and long calls, different numbers of threads, models that come and go.
#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "random_model.h"

namespace lacos {
namespace {

TEST(ConcurrentModels, ComeAndGoWhileOthersEncodeAndChangeNoBit) {
  const Shape shape{32, 2, 4, 64, false};
  const RandomModel model(shape, LACOS_SCHEME_ROWWISE, 5);
  Numbers numbers(9);
  std::vector<Sentences> batches(3);
  batches[0].Add(RandomSentence(numbers, 3, shape.vocabulary));
  for (const int length : {700, 2, 0, 90}) batches[1].Add(RandomSentence(numbers, length, shape.vocabulary));
  for (int i = 0; i < 60; i++) batches[2].Add(RandomSentence(numbers, 1 + i % 13, shape.vocabulary));
  std::vector<ModelHandle> lasting;
  for (const int threads : {1, 2, 4}) lasting.push_back(Create(model, {LACOS_COMPUTE_INT8, 0, threads, ""}));
  std::vector<std::vector<float>> expected;
  for (const Sentences& batch : batches) expected.push_back(EncodeTokens(lasting[0].get(), batch, shape.hidden));
  const auto encode = [&](const lacos_model* handle, size_t batch) {
    const std::vector<float> y = EncodeTokens(handle, batches[batch], shape.hidden);
    EXPECT_EQ(0, std::memcmp(expected[batch].data(), y.data(), y.size() * sizeof(float))) << batch;
  };
  std::vector<std::thread> callers;
  for (size_t caller = 0; caller < 10; caller++) {
    callers.emplace_back([&, caller] {
      for (size_t round = 0; round < 12; round++) {
        if (caller % 5 == 4) {
          const ModelHandle own =
              Create(model, {LACOS_COMPUTE_INT8, 0, static_cast<int>(1 + (caller + round) % 3), ""});
          encode(own.get(), round % batches.size());
        } else {
          encode(lasting[caller % lasting.size()].get(), (caller + round) % batches.size());
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace lacos
