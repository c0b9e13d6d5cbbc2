// Where the system gives no thread, calls run on their caller's alone and give the same bits.
#include <gtest/gtest.h>

#include "random_lora.h"

#if defined(__linux__) && defined(__GLIBC__)

#include <pthread.h>

#include <system_error>
#include <thread>

namespace lacos {
namespace {

// No system has room for stacks of this size: threads cannot be created while it lives.
class NoMoreThreads {
 public:
  NoMoreThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, size_t{1} << 60);
    is_set_ = pthread_setattr_default_np(&huge) == 0;
    pthread_attr_destroy(&huge);
  }
  ~NoMoreThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }
  bool is_set() const { return is_set_; }

 private:
  pthread_attr_t before_;
  bool is_set_;
};

TEST(ScarceThreads, ModelsAndTrainingRunOnTheCallersThread) {
  const Shape shape{32, 1, 4, 30, false};
  const RandomModel model(shape, LACOS_SCHEME_ROWWISE, 5);
  Numbers numbers(2);
  const RandomAdapters adapters(numbers, shape, {3});
  Sentences s;
  for (int i = 0; i < 20; i++) s.Add(RandomSentence(numbers, 12, shape.vocabulary));
  const std::vector<float> gradient = numbers.Normals(s.ids.size() * shape.hidden, 1.0f);
  const std::vector<float> expected = EncodeTokens(Create(model, {}).get(), s, shape.hidden);
  const Training trained = Train(CreateLora(model, 1).get(), shape, adapters, s, gradient, 0);
  const NoMoreThreads none;
  ASSERT_TRUE(none.is_set());
  EXPECT_THROW(std::thread([] {}).join(), std::system_error);
  const ModelHandle four = Create(model, {LACOS_COMPUTE_INT8, 0, 4, ""});
  EXPECT_EQ(expected, EncodeTokens(four.get(), s, shape.hidden));
  const Training again = Train(CreateLora(model, 4).get(), shape, adapters, s, gradient, 0);
  EXPECT_EQ(trained.states, again.states);
  EXPECT_EQ(trained.gradients, again.gradients);
  double operations = -1;
  const lacos_status peak = lacos_measure_int8_peak(nullptr, 2, 0.001, &operations);
  EXPECT_NE(LACOS_OK, peak);
  EXPECT_STRNE("", lacos_last_error());
}

}  // namespace
}  // namespace lacos

#endif
