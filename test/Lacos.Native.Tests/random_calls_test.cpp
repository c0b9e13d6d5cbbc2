// Random calls of the encoder, right and wrong ones: each is done or refused as its arguments say, and what is done is
// what the same sentences give one by one.
#include <gtest/gtest.h>

#include <climits>
#include <cmath>
#include <cstring>

#include "random_model.h"
#include "test_kernels.h"

namespace lacos {
namespace {

constexpr int kCalls = 400;
constexpr float kUntouched = -77.0f;

class RandomCalls : public EveryKernelSet {};

struct Call {
  Sentences sentences;
  std::vector<int32_t> pool_from;
  int pooling = LACOS_POOL_MEAN;
  int dimension = 0;
  bool normalize = false;
  int64_t length = 0;
  bool is_right = true;
};

// Many sentences begin as the prompt or as the one before them.
Call RandomCall(Numbers& numbers, const Shape& shape, const std::vector<int32_t>& prompt) {
  Call call;
  const int rows = numbers.Whole(0, 9);
  std::vector<int32_t> before;
  for (int i = 0; i < rows; i++) {
    const int length = numbers.Whole(0, 3) == 0 ? 0 : numbers.Whole(1, numbers.Whole(0, 5) == 0 ? 300 : 20);
    std::vector<int32_t> sentence = RandomSentence(numbers, length, shape.vocabulary);
    const std::vector<int32_t>& beginning = numbers.Whole(0, 1) == 0 ? prompt : before;
    const int shared = numbers.Whole(0, 2) * std::min(length, static_cast<int>(beginning.size())) / 2;
    std::copy_n(beginning.begin(), shared, sentence.begin());
    call.sentences.Add(sentence);
    before = sentence;
    call.pool_from.push_back(numbers.Whole(0, 4) == 0 ? INT_MAX : numbers.Whole(0, 6));
  }
  call.pooling = numbers.Whole(1, 63);
  int modes = 0;
  for (int rest = call.pooling; rest != 0; rest &= rest - 1) modes++;
  call.dimension = numbers.Whole(0, 1) == 0 ? 0 : numbers.Whole(1, modes * shape.hidden);
  call.normalize = numbers.Whole(0, 1) == 0;
  call.length = int64_t{rows} * (call.dimension == 0 ? modes * shape.hidden : call.dimension);
  return call;
}

void Spoil(Numbers& numbers, const Shape& shape, Call& call) {
  const auto any = [&](const std::vector<int32_t>& values) {
    return static_cast<size_t>(numbers.Whole(0, static_cast<int>(values.size()) - 1));
  };
  Sentences& s = call.sentences;
  call.is_right = false;
  switch (numbers.Whole(0, 6)) {
    case 0:
      if (s.ids.empty()) s.Add({0});
      s.ids[any(s.ids)] = numbers.Whole(0, 1) == 0 ? INT_MIN + numbers.Whole(0, 9) : shape.vocabulary;
      return;
    case 1: {
      const int32_t wrong[] = {INT_MIN, -1, INT_MAX, static_cast<int32_t>(s.ids.size()) + 1};
      s.offsets[any(s.offsets)] = wrong[numbers.Whole(0, 3)];
      return;
    }
    case 2:
      call.pooling = numbers.Whole(0, 1) == 0 ? 64 + numbers.Whole(0, 1 << 20) : -numbers.Whole(0, INT_MAX - 1);
      return;
    case 3:
      call.dimension = numbers.Whole(0, 1) == 0 ? -1 : 6 * shape.hidden + 1;
      return;
    case 4:
      call.length += numbers.Whole(0, 1) == 0 ? 1 : -1;
      return;
    case 5:
      if (call.pool_from.empty()) call.dimension = INT_MIN;
      if (!call.pool_from.empty()) call.pool_from[any(call.pool_from)] = -numbers.Whole(1, INT_MAX);
      return;
    default:
      s.ids.push_back(0);
  }
}

TEST_P(RandomCalls, AreDoneOrRefusedAsTheirArgumentsSay) {
  Numbers numbers(21);
  const Shape shape{24, 2, 3, 50, false};
  const RandomModel model(shape, LACOS_SCHEME_ROWWISE, 3);
  const ModelHandle alone = Create(model, {LACOS_COMPUTE_INT8, 0, 1, GetParam()});
  std::vector<ModelHandle> handles;
  for (const int threads : {1, 2, 5}) handles.push_back(Create(model, {LACOS_COMPUTE_INT8, 0, threads, GetParam()}));
  const std::vector<int32_t> prompt = RandomSentence(numbers, 9, shape.vocabulary);
  std::vector<PromptHandle> prompts;
  for (const ModelHandle& handle : handles) prompts.push_back(CreatePrompt(handle.get(), prompt));
  int done = 0;
  for (int i = 0; i < kCalls; i++) {
    Call call = RandomCall(numbers, shape, prompt);
    if (numbers.Whole(0, 1) == 0) Spoil(numbers, shape, call);
    const Sentences& s = call.sentences;
    // Exactly as large as said, so that a sanitizer sees every step beside it.
    const std::vector<int32_t> ids(s.ids), offsets(s.offsets), from(call.pool_from);
    std::vector<float> y(static_cast<size_t>(std::max<int64_t>(call.length, 0)), kUntouched);
    const size_t chosen = static_cast<size_t>(i) % handles.size();
    const lacos_prompt* kept = numbers.Whole(0, 1) == 0 ? nullptr : prompts[chosen].get();
    const lacos_status status =
        lacos_encode(handles[chosen].get(), kept, ids.data(), static_cast<int64_t>(ids.size()), offsets.data(),
                     s.rows(), from.data(), call.pooling, call.dimension, call.normalize, y.data(), call.length);
    ASSERT_EQ(call.is_right ? LACOS_OK : LACOS_INVALID_ARGUMENT, status) << "call " << i << ": " << lacos_last_error();
    if (!call.is_right) {
      for (const float value : y) ASSERT_EQ(kUntouched, value) << "call " << i;
      continue;
    }
    done++;
    const size_t width = s.rows() == 0 ? 0 : y.size() / static_cast<size_t>(s.rows());
    for (int64_t row = 0; row < s.rows(); row++) {
      const int32_t own[] = {0, offsets[row + 1] - offsets[row]};
      std::vector<float> expected(width);
      ASSERT_EQ(LACOS_OK,
                lacos_encode(alone.get(), nullptr, ids.data() + offsets[row], own[1], own, 1, &from[row], call.pooling,
                             call.dimension, call.normalize, expected.data(), static_cast<int64_t>(width)));
      ASSERT_EQ(0, std::memcmp(expected.data(), y.data() + width * row, width * sizeof(float))) << "call " << i;
    }
  }
  EXPECT_GT(done, kCalls / 3);
}

LACOS_ON_EVERY_KERNEL_SET(RandomCalls);

}  // namespace
}  // namespace lacos
