#include "aligned_buffer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

#include "lacos_native.h"
#include "status.h"

namespace lacos {
namespace {

TEST(AlignedBuffer, MemoryThatCannotBeHadIsAStatusAndLeavesTheBufferEmpty) {
  AlignedBuffer<float> buffer(10);
  for (const size_t count : {size_t{1} << 61, SIZE_MAX, SIZE_MAX / 4}) {
    try {
      buffer.Reserve(count);
      FAIL() << count;
    } catch (const Error& error) {
      EXPECT_EQ(LACOS_OUT_OF_MEMORY, error.status);
      EXPECT_NE(nullptr, std::strstr(error.message, "bytes"));
    }
    EXPECT_EQ(0u, buffer.count());
    buffer.Reserve(10);
  }
}

TEST(AlignedBuffer, StartsOnACacheLineAndKeepsWhatFits) {
  for (const size_t count : {1, 63, 64, 1000, 3000000}) {
    AlignedBuffer<char> buffer(count);
    EXPECT_EQ(0u, reinterpret_cast<uintptr_t>(buffer.data()) % 64);
    buffer[count - 1] = 7;
    const char* before = buffer.data();
    buffer.Reserve(count);
    EXPECT_EQ(before, buffer.data());
    EXPECT_EQ(7, buffer[count - 1]);
  }
}

}  // namespace
}  // namespace lacos
