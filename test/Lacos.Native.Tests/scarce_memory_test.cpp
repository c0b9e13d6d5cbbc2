// Memory that runs out at any allocation of a call is a status, and what the call had taken is given back.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <new>

#include "random_lora.h"

#if defined(LACOS_TEST_WRAPS_MEMORY)

#include <cerrno>

extern "C" int __real_posix_memalign(void** memory, size_t alignment, size_t bytes);

namespace {

// Allocations of this thread that still succeed; negative: all do.
thread_local int64_t allowance = -1;
// Bytes of buffers that this thread has asked for.
thread_local size_t asked = 0;

// When there is no memory any more there is none for what comes after, either.
bool IsRefused() {
  if (allowance == 0) return true;
  if (allowance > 0) allowance--;
  return false;
}

void* Take(size_t bytes, size_t alignment) {
  void* memory = nullptr;
  if (!IsRefused() && __real_posix_memalign(&memory, alignment, bytes == 0 ? 1 : bytes) != 0) memory = nullptr;
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

extern "C" int __wrap_posix_memalign(void** memory, size_t alignment, size_t bytes) {
  asked += bytes;
  return IsRefused() ? ENOMEM : __real_posix_memalign(memory, alignment, bytes);
}

void* operator new(size_t bytes) { return Take(bytes, alignof(std::max_align_t)); }
void* operator new(size_t bytes, std::align_val_t alignment) { return Take(bytes, static_cast<size_t>(alignment)); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace lacos {
namespace {

// Runs the call again and again, each time with one allocation more; every failure must be a status. Returns how many
// failed.
template <class Call>
int UntilItSucceeds(const Call& call) {
  for (int failures = 0; failures < 100000; failures++) {
    allowance = failures;
    const lacos_status status = call();
    allowance = -1;
    if (status == LACOS_OK) return failures;
    EXPECT_EQ(LACOS_OUT_OF_MEMORY, status) << lacos_last_error();
    if (status != LACOS_OUT_OF_MEMORY) return -1;
  }
  return -1;
}

class ScarceMemory : public testing::Test {
 protected:
  ScarceMemory() : model_(shape_, LACOS_SCHEME_ROWWISE, 2) {
    for (const RandomBlock& block : model_.blocks) blocks_.push_back(ViewOf(block));
    sentences_.Add({1, 2, 3, 4, 5, 6, 7});
    sentences_.Add({8});
  }

  const Shape shape_{16, 2, 2, 30, false};
  RandomModel model_;
  std::vector<lacos_block> blocks_;
  Sentences sentences_;
};

TEST_F(ScarceMemory, OfCreatingAndEncodingIsAStatus) {
  for (const int compute : {LACOS_COMPUTE_INT8, LACOS_COMPUTE_WEIGHT_ONLY}) {
    const lacos_model_config config = Config(shape_, {compute, 0, 1, ""});
    const lacos_matrix embeddings = model_.embeddings.View();
    const lacos_layer_norm first = model_.embeddings_norm.View(), last = model_.final_norm.View();
    lacos_model* handle = nullptr;
    EXPECT_GT(UntilItSucceeds(
                  [&] { return lacos_model_create(&config, &embeddings, &first, blocks_.data(), &last, &handle); }),
              10);
    const ModelHandle owned(handle);
    std::vector<float> y(sentences_.ids.size() * shape_.hidden);
    EXPECT_GT(UntilItSucceeds([&] {
                return lacos_encode_tokens(handle, sentences_.ids.data(), static_cast<int64_t>(sentences_.ids.size()),
                                           sentences_.offsets.data(), sentences_.rows(), y.data(),
                                           static_cast<int64_t>(y.size()));
              }),
              1);
    EXPECT_EQ(EncodeTokens(Create(model_, {compute, 0, 1, ""}).get(), sentences_, shape_.hidden), y);
    lacos_prompt* prompt = nullptr;
    EXPECT_GT(UntilItSucceeds([&] { return lacos_prompt_create(handle, sentences_.ids.data(), 3, &prompt); }), 1);
    const PromptHandle kept(prompt);
    EXPECT_EQ(Encode(handle, sentences_, shape_.hidden, LACOS_POOL_MEAN),
              Encode(handle, sentences_, shape_.hidden, LACOS_POOL_MEAN, prompt));
  }
}

// Their rows are computed once: buffers for all of them would be 40 times as large.
TEST_F(ScarceMemory, EqualSentencesTakeThatOfOne) {
  for (const int compute : {LACOS_COMPUTE_INT8, LACOS_COMPUTE_WEIGHT_ONLY}) {
    size_t bytes[2];
    for (const int sentences : {1, 40}) {
      Sentences batch;
      for (int i = 0; i < sentences; i++) batch.Add({1, 2, 3, 4, 5, 6, 7, 8, 9});
      const ModelHandle handle = Create(model_, {compute, 0, 1, ""});
      asked = 0;
      Encode(handle.get(), batch, shape_.hidden, LACOS_POOL_MEAN);
      bytes[sentences == 1 ? 0 : 1] = asked;
    }
    EXPECT_GT(bytes[0], 0u);
    EXPECT_EQ(bytes[0], bytes[1]);
  }
}

TEST_F(ScarceMemory, OfTrainingIsAStatusAndTheNextPassIsRight) {
  Numbers numbers(4);
  const RandomAdapters adapters(numbers, shape_, {3});
  const lacos_model_config config = Config(shape_, {LACOS_COMPUTE_INT8, 0, 1, ""});
  const lacos_matrix embeddings = model_.embeddings.View();
  const lacos_layer_norm first = model_.embeddings_norm.View(), last = model_.final_norm.View();
  lacos_lora* handle = nullptr;
  EXPECT_GT(UntilItSucceeds([&] { return lacos_lora_create(&config, &embeddings, &first, &last, &handle); }), 3);
  const LoraHandle lora(handle);
  for (const lacos_block& block : blocks_) {
    EXPECT_GT(UntilItSucceeds([&] { return lacos_lora_add_block(handle, &block); }), 3);
  }
  const std::vector<float> gradient(sentences_.ids.size() * shape_.hidden, 1.0f);
  const LoraHandle other = CreateLora(model_, 1);
  for (const int64_t bytes : {int64_t{0}, int64_t{1} << 40}) {
    const Training expected = Train(other.get(), shape_, adapters, sentences_, gradient, bytes);
    const Rows rows(sentences_, {});
    std::vector<float> states(gradient.size());
    lacos_lora_tape* tape = nullptr;
    EXPECT_GT(UntilItSucceeds([&] {
                return lacos_lora_forward(handle, &rows.view, adapters.views.data(), bytes, &tape, states.data(),
                                          static_cast<int64_t>(states.size()));
              }),
              3);
    EXPECT_EQ(expected.states, states);
    EXPECT_EQ(expected.gradients, Backward(handle, tape, adapters, gradient));
    lacos_lora_tape_destroy(tape);
  }
}

// It has no status to give: the memory of the tape is lost to the next pass, and nothing else happens.
TEST_F(ScarceMemory, OfGivingATapeBackIsBorne) {
  Numbers numbers(4);
  const RandomAdapters adapters(numbers, shape_, {3});
  const LoraHandle lora = CreateLora(model_, 1);
  std::vector<float> states;
  TapeHandle tape = Forward(lora.get(), shape_, adapters, sentences_, 1 << 20, {}, states);
  allowance = 0;
  tape.reset();
  allowance = -1;
  int32_t kept = 0;
  lacos_lora_tape_memory(Forward(lora.get(), shape_, adapters, sentences_, 1 << 20, {}, states).get(), &kept);
  EXPECT_EQ(2, kept) << "what the lost tape kept still counts";
}

}  // namespace
}  // namespace lacos

#endif
