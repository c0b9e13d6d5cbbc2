#include "attention.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace lacos {
namespace {

uint32_t Bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// The same numbers as in EncoderArithmeticTests.cs: powers of an fp32 base, where those of a double one are 0.5, 0.25, ...
TEST(AlibiSlopes, OfSixteenHeadsHaveTheBitsOfTheManagedEncoder) {
  const uint32_t expected[] = {0x3F3504F3, 0x3EFFFFFF, 0x3EB504F3, 0x3E7FFFFF, 0x3E3504F2, 0x3DFFFFFE, 0x3DB504F2, 0x3D7FFFFE,
                               0x3D3504F1, 0x3CFFFFFD, 0x3CB504F1, 0x3C7FFFFD, 0x3C3504F1, 0x3BFFFFFC, 0x3BB504F0, 0x3B7FFFFB};
  const std::vector<float> slopes = AlibiSlopes(16);
  ASSERT_EQ(16u, slopes.size());
  for (int head = 0; head < 16; head++) EXPECT_EQ(expected[head], Bits(slopes[head])) << "head " << head;
}

TEST(AlibiSlopes, OfTwelveHeadsTakeTheOddPowersBetween) {
  const uint32_t between[] = {0x3F3504F3, 0x3EB504F3, 0x3E3504F2, 0x3DB504F2};
  const std::vector<float> slopes = AlibiSlopes(12);
  ASSERT_EQ(12u, slopes.size());
  for (int head = 0; head < 8; head++) EXPECT_EQ(1.0f / static_cast<float>(2 << head), slopes[head]);
  for (int head = 0; head < 4; head++) EXPECT_EQ(between[head], Bits(slopes[8 + head])) << "head " << 8 + head;
}

}  // namespace
}  // namespace lacos
