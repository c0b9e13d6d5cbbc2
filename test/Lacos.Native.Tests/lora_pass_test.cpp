// Training over frozen int8 blocks, forward and back: shapes that fit no tile, budgets, threads, batches, and numbers
// that are broken.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <thread>

#include "random_lora.h"
#include "test_kernels.h"

namespace lacos {
namespace {

constexpr int64_t kEverything = int64_t{1} << 40;

class LoraPass_ : public testing::TestWithParam<std::string> {};

bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

void ExpectSameBits(const Training& expected, const Training& actual, const std::string& what) {
  EXPECT_TRUE(SameBits(expected.states, actual.states)) << what;
  ASSERT_EQ(expected.gradients.size(), actual.gradients.size());
  for (size_t i = 0; i < expected.gradients.size(); i++) {
    EXPECT_TRUE(SameBits(expected.gradients[i], actual.gradients[i])) << what << ", gradient " << i;
  }
}

Sentences Batch(Numbers& numbers, const std::vector<int>& lengths, int vocabulary) {
  Sentences s;
  for (const int length : lengths) s.Add(RandomSentence(numbers, length, vocabulary));
  return s;
}

struct Case {
  Shape shape;
  std::vector<int> ranks;
  std::vector<int> lengths;
};

std::vector<Case> Cases() {
  return {{{1, 1, 1, 3, false}, {1}, {1}},
          {{3, 2, 3, 5, true}, {2, 0, 1, 3}, {0, 2, 0, 1}},
          {{18, 2, 3, 40, false}, {5}, {1, 7, 0, 30}},
          {{40, 3, 5, 40, true}, {64, 0, 0, 17}, {3, 49}},
          {{72, 1, 2, 40, false}, {0, 33, 8, 0}, {25, 1, 1}},
          {{64, 2, 4, 40, false}, {16, 16, 16, 16}, {48, 16}},
          {{130, 2, 2, 40, false}, {0, 0, 0, 0, 3, 0, 0, 1}, {97}}};
}

TEST_P(LoraPass_, BudgetsAndThreadsDoNotChangeABit) {
  for (const Case& c : Cases()) {
    Numbers numbers(static_cast<uint32_t>(c.shape.hidden));
    const RandomModel model(c.shape, LACOS_SCHEME_ROWWISE, 7);
    const RandomAdapters adapters(numbers, c.shape, c.ranks);
    const Sentences s = Batch(numbers, c.lengths, c.shape.vocabulary);
    const std::vector<float> gradient = numbers.Normals(s.ids.size() * c.shape.hidden, 1.0f);
    for (const uint32_t threshold : {0u, 1u << 30}) {
      const Dropping dropping{11, threshold, {}};
      const LoraHandle one = CreateLora(model, 1, GetParam()), three = CreateLora(model, 3, GetParam());
      const Training all = Train(one.get(), c.shape, adapters, s, gradient, kEverything, dropping);
      const std::string what = "hidden " + std::to_string(c.shape.hidden);
      EXPECT_EQ(c.shape.layers, all.kept_blocks) << what;
      for (const int64_t bytes : {int64_t{0}, int64_t{1}, kEverything}) {
        const Training some = Train(three.get(), c.shape, adapters, s, gradient, bytes, dropping);
        EXPECT_EQ(bytes == kEverything ? c.shape.layers : 0, some.kept_blocks) << what;
        ExpectSameBits(all, some, what + ", bytes " + std::to_string(bytes));
      }
    }
  }
}

TEST_P(LoraPass_, WithoutAdaptersTheStatesAreThoseOfTheEncoder) {
  for (const Case& c : Cases()) {
    Numbers numbers(static_cast<uint32_t>(c.shape.hidden));
    const RandomModel model(c.shape, LACOS_SCHEME_ROWWISE, 8);
    const RandomAdapters none(numbers, c.shape, {0});
    const Sentences s = Batch(numbers, c.lengths, c.shape.vocabulary);
    const ModelHandle encoder = Create(model, {LACOS_COMPUTE_INT8, 0, 1, GetParam()});
    const LoraHandle lora = CreateLora(model, 2, GetParam());
    std::vector<float> states;
    const TapeHandle tape = Forward(lora.get(), c.shape, none, s, 0, {}, states);
    EXPECT_TRUE(SameBits(EncodeTokens(encoder.get(), s, c.shape.hidden), states)) << "hidden " << c.shape.hidden;
    RandomAdapters zeros(numbers, c.shape, {3});
    for (std::vector<float>& b : zeros.b) std::fill(b.begin(), b.end(), 0.0f);
    std::vector<float> same;
    Forward(lora.get(), c.shape, zeros, s, 0, {}, same);
    EXPECT_TRUE(SameBits(states, same)) << "hidden " << c.shape.hidden << ", adapters of zeros";
    const std::vector<float> gradient(states.size(), 1.0f);
    for (const std::vector<float>& place : Backward(lora.get(), tape.get(), none, gradient))
      EXPECT_EQ(0u, place.size());
  }
}

TEST_P(LoraPass_, ARowIsTheSameAloneAndGradientsOfRowsAddUp) {
  const Shape shape{40, 2, 5, 50, false};
  Numbers numbers(3);
  const RandomModel model(shape, LACOS_SCHEME_ROWWISE, 9);
  const RandomAdapters adapters(numbers, shape, {6, 3, 9, 4});
  const LoraHandle lora = CreateLora(model, 2, GetParam());
  const Sentences both = Batch(numbers, {100, 210}, shape.vocabulary);
  const std::vector<float> gradient = numbers.Normals(both.ids.size() * shape.hidden, 1.0f);
  const Dropping dropping{5, 1u << 29, {100, 200}};
  const Training together = Train(lora.get(), shape, adapters, both, gradient, kEverything, dropping);
  std::vector<std::vector<float>> sums;
  for (int row = 0; row < 2; row++) {
    Sentences alone;
    alone.Add({both.ids.begin() + both.offsets[row], both.ids.begin() + both.offsets[row + 1]});
    const auto first = static_cast<std::ptrdiff_t>(both.offsets[row]) * shape.hidden;
    const auto last = static_cast<std::ptrdiff_t>(both.offsets[row + 1]) * shape.hidden;
    const Training part = Train(lora.get(), shape, adapters, alone, {gradient.begin() + first, gradient.begin() + last},
                                kEverything, {dropping.key, dropping.threshold, {dropping.row_keys[row]}});
    EXPECT_TRUE(SameBits({together.states.begin() + first, together.states.begin() + last}, part.states)) << row;
    if (row == 0) sums = part.gradients;
    for (size_t i = 0; row > 0 && i < sums.size(); i++) {
      for (size_t j = 0; j < sums[i].size(); j++) sums[i][j] += part.gradients[i][j];
    }
  }
  for (size_t i = 0; i < sums.size(); i++) {
    float most = 0;
    for (const float value : sums[i]) most = std::max(most, std::fabs(value));
    EXPECT_GT(most, 0.0f) << i;
    for (size_t j = 0; j < sums[i].size(); j++) ASSERT_NEAR(sums[i][j], together.gradients[i][j], 1e-5f * most) << i;
  }
}

// The way back is not the derivative of the rounded forward pass, only near that of the smooth one: the loss falls
// along the gradient as fast as this says, to a tenth.
TEST_P(LoraPass_, TheLossChangesAlongTheGradientAsItSays) {
  for (const Shape& shape : {Shape{48, 2, 4, 50, false}, {48, 2, 4, 50, true}}) {
    Numbers numbers(12);
    const RandomModel model(shape, LACOS_SCHEME_ROWWISE, 10);
    RandomAdapters adapters(numbers, shape, {4});
    const LoraHandle lora = CreateLora(model, 1, GetParam());
    const Sentences s = Batch(numbers, {40, 9, 51}, shape.vocabulary);
    const std::vector<float> gradient = numbers.Normals(s.ids.size() * shape.hidden, 1.0f);
    const Dropping dropping{5, 1u << 29, {}};
    const std::vector<std::vector<float>> slopes =
        Train(lora.get(), shape, adapters, s, gradient, 0, dropping).gradients;
    const auto Loss = [&] {
      std::vector<float> states;
      Forward(lora.get(), shape, adapters, s, 0, dropping, states);
      double loss = 0;
      for (size_t i = 0; i < states.size(); i++) loss += static_cast<double>(states[i]) * gradient[i];
      return loss;
    };
    for (size_t i = 0; i < slopes.size(); i++) {
      std::vector<float>& values = i % 2 == 0 ? adapters.a[i / 2] : adapters.b[i / 2];
      const std::vector<float> before = values;
      double square = 0;
      for (const float slope : slopes[i]) square += static_cast<double>(slope) * slope;
      const auto step = static_cast<float>(0.15 / std::sqrt(square));
      double change = 0;
      for (const float direction : {step, -step}) {
        for (size_t j = 0; j < values.size(); j++) values[j] = before[j] + direction * slopes[i][j];
        change += direction > 0 ? Loss() : -Loss();
      }
      values = before;
      EXPECT_NEAR(1, change / (2 * step * square), 0.12) << "matrix " << i << " of 16, " << shape.post_norm_residual;
    }
  }
}

TEST_P(LoraPass_, GoingBackTwiceGivesTheSameBits) {
  const Shape shape{20, 2, 2, 30, false};
  Numbers numbers(4);
  const RandomModel model(shape, LACOS_SCHEME_ROWWISE, 11);
  const RandomAdapters adapters(numbers, shape, {3});
  const LoraHandle lora = CreateLora(model, 2, GetParam());
  const Sentences s = Batch(numbers, {9, 30}, shape.vocabulary);
  const std::vector<float> gradient = numbers.Normals(s.ids.size() * shape.hidden, 1.0f);
  for (const int64_t bytes : {int64_t{0}, kEverything}) {
    std::vector<float> states, others;
    const TapeHandle tape = Forward(lora.get(), shape, adapters, s, bytes, {}, states);
    const auto once = Backward(lora.get(), tape.get(), adapters, gradient);
    // A larger pass in between takes none of the tape's memory.
    const Sentences longer = Batch(numbers, {70}, shape.vocabulary);
    Forward(lora.get(), shape, adapters, longer, bytes, {}, others);
    EXPECT_EQ(once, Backward(lora.get(), tape.get(), adapters, gradient)) << bytes;
  }
}

TEST_P(LoraPass_, TapesOfOneModelShareOneBudget) {
  const Shape shape{16, 2, 2, 30, false};
  Numbers numbers(6);
  const RandomModel model(shape, LACOS_SCHEME_ROWWISE, 12);
  const RandomAdapters adapters(numbers, shape, {2});
  const LoraHandle lora = CreateLora(model, 1, GetParam());
  const Sentences s = Batch(numbers, {12}, shape.vocabulary);
  std::vector<float> states;
  const auto Kept = [](const TapeHandle& tape) {
    int32_t kept = -1;
    lacos_lora_tape_memory(tape.get(), &kept);
    return kept;
  };
  int64_t both = 1;
  while (Kept(Forward(lora.get(), shape, adapters, s, both, {}, states)) < 2) both += 64;
  TapeHandle first = Forward(lora.get(), shape, adapters, s, both, {}, states);
  EXPECT_EQ(2, Kept(first));
  EXPECT_EQ(0, Kept(Forward(lora.get(), shape, adapters, s, both, {}, states)));
  first.reset();
  EXPECT_EQ(2, Kept(Forward(lora.get(), shape, adapters, s, both, {}, states)));
}

TEST_P(LoraPass_, BlocksAreKeptInOrder) {
  const Shape shape{16, 2, 2, 30, false};
  Numbers numbers(6);
  const RandomModel model(shape, LACOS_SCHEME_ROWWISE, 12);
  const LoraHandle lora = CreateLora(model, 1, GetParam());
  const Sentences s = Batch(numbers, {12}, shape.vocabulary);
  for (const bool first_is_larger : {false, true}) {
    const std::vector<int> large(kLinearsOfBlock, 40), small(kLinearsOfBlock, 1);
    std::vector<int> ranks = first_is_larger ? large : small;
    ranks.insert(ranks.end(), first_is_larger ? small.begin() : large.begin(),
                 first_is_larger ? small.end() : large.end());
    const RandomAdapters adapters(numbers, shape, ranks);
    std::vector<float> states;
    int32_t most_before = 0;
    for (int64_t bytes = 0, kept = 0; kept < 2; bytes += 64) {
      int32_t now = 0;
      lacos_lora_tape_memory(Forward(lora.get(), shape, adapters, s, bytes, {}, states).get(), &now);
      ASSERT_TRUE(now == most_before || now == most_before + 1) << bytes;
      // The smaller block takes 6 KB, the larger one 13.
      EXPECT_TRUE(now == most_before || now == 2 || first_is_larger == (bytes > 10000)) << bytes;
      most_before = now;
      kept = now;
    }
  }
}

TEST_P(LoraPass_, BrokenNumbersShowAndDoNotStayBehind) {
  const Shape shape{34, 2, 2, 30, false};
  Numbers numbers(5);
  const RandomModel model(shape, LACOS_SCHEME_ROWWISE, 13);
  const RandomAdapters adapters(numbers, shape, {5});
  const LoraHandle lora = CreateLora(model, 2, GetParam());
  const Sentences s = Batch(numbers, {5, 11}, shape.vocabulary);
  const std::vector<float> gradient = numbers.Normals(s.ids.size() * shape.hidden, 1.0f);
  const Training right = Train(lora.get(), shape, adapters, s, gradient, 0);
  for (const float broken : {std::nanf(""), INFINITY, -INFINITY}) {
    std::vector<float> bad = gradient;
    bad[40] = broken;
    const Training shown = Train(lora.get(), shape, adapters, s, bad, 0);
    for (const std::vector<float>& place : shown.gradients) {
      EXPECT_TRUE(std::any_of(place.begin(), place.end(), [](float x) { return !std::isfinite(x); })) << broken;
    }
    RandomAdapters sick = adapters;
    sick.a[0][3] = broken;
    sick.views[0].a = sick.a[0].data();
    const Training seen = Train(lora.get(), shape, sick, s, gradient, kEverything);
    for (const float state : seen.states) ASSERT_TRUE(std::isnan(state)) << broken;
  }
  ExpectSameBits(right, Train(lora.get(), shape, adapters, s, gradient, 0), "afterwards");
}

TEST_P(LoraPass_, ModelsTrainAtTheSameTimeAndTapesOutliveThem) {
  const Shape shape{24, 2, 3, 30, false};
  Numbers numbers(7);
  const RandomModel model(shape, LACOS_SCHEME_ROWWISE, 14);
  const RandomAdapters adapters(numbers, shape, {4});
  const Sentences s = Batch(numbers, {6, 0, 33, 1}, shape.vocabulary);
  const std::vector<float> gradient = numbers.Normals(s.ids.size() * shape.hidden, 1.0f);
  const LoraHandle shared = CreateLora(model, 2, GetParam());
  const Training expected = Train(shared.get(), shape, adapters, s, gradient, 0);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; caller++) {
    callers.emplace_back([&, caller] {
      for (int round = 0; round < 3; round++) {
        LoraHandle own = CreateLora(model, 1 + caller % 3, GetParam());
        lacos_lora* used = caller == 0 ? shared.get() : own.get();
        ExpectSameBits(expected, Train(used, shape, adapters, s, gradient, round * 5000), "caller");
        std::vector<float> states;
        const TapeHandle tape = Forward(own.get(), shape, adapters, s, kEverything, {}, states);
        own.reset();
        EXPECT_GT(lacos_lora_tape_memory(tape.get(), nullptr), 0);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST(LoraPass, ARowOf2048TokensHasTheSameBitsForAnyBudget) {
  const Shape shape{16, 2, 2, 30, false};
  Numbers numbers(8);
  const RandomModel model(shape, LACOS_SCHEME_ROWWISE, 15);
  const RandomAdapters adapters(numbers, shape, {1, 0, 2, 4});
  const LoraHandle lora = CreateLora(model, 2);
  const Sentences s = Batch(numbers, {2048, 1}, shape.vocabulary);
  const std::vector<float> gradient = numbers.Normals(s.ids.size() * shape.hidden, 1.0f);
  const Training all = Train(lora.get(), shape, adapters, s, gradient, INT64_MAX);
  EXPECT_EQ(2, all.kept_blocks);
  ExpectSameBits(all, Train(lora.get(), shape, adapters, s, gradient, 0), "nothing kept");
}

LACOS_ON_EVERY_KERNEL_SET(LoraPass_);

}  // namespace
}  // namespace lacos
