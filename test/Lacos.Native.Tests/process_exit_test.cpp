// Threads that a program does not wait for go on calling while its process ends.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "lacos_native.h"

namespace lacos {
namespace {

bool is_used_at_exit = false;

bool Works() {
  for (int32_t i = 0; i < lacos_kernel_count(); i++) {
    lacos_kernel_info info;
    if (lacos_kernel_get(i, &info) != LACOS_OK || std::strlen(info.state) < 5) return false;
  }
  const char* reason = nullptr;
  if (lacos_default_thread_count(&reason) < 1 || std::strlen(reason) < 5) return false;
  const int8_t codes[] = {1, 2};
  const float absmax[] = {1, 1};
  lacos_int8_linear* layer = nullptr;
  if (lacos_int8_linear_create(2, 1, codes, absmax, 2, "scalar", &layer) != LACOS_OK) return false;
  lacos_int8_linear_destroy(layer);
  return true;
}

// Registered before the library has made anything, so that it runs when all that ends with the process has ended.
const int registered = std::atexit([] {
  if (is_used_at_exit && !Works()) std::_Exit(1);
});

TEST(ProcessExit, CallsWorkToTheEnd) {
  ASSERT_EQ(0, registered);
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        is_used_at_exit = Works();
        std::exit(is_used_at_exit ? 0 : 2);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace lacos
