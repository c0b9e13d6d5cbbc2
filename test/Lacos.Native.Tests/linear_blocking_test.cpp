// Tasks hold every panel of every block of rows once and in order, none of two blocks; claimed ones end small.
#include "linear_blocking.h"

#include <gtest/gtest.h>

#include "numbers.h"

namespace lacos {
namespace {

std::vector<int> Sizes(const std::vector<int>& starts) {
  std::vector<int> sizes;
  for (size_t i = 1; i < starts.size(); i++) sizes.push_back(starts[i] - starts[i - 1]);
  return sizes;
}

TEST(LinearBlocking, TasksHoldEveryPanelOnceAndNoneOfTwoBlocks) {
  Numbers numbers(4);
  for (int round = 0; round < 300; round++) {
    const int panels = numbers.Whole(1, 300);
    const int blocks = numbers.Whole(1, 5);
    const int threads = numbers.Whole(1, 40);
    for (const bool claimed : {false, true}) {
      std::vector<int> starts{1, 2, 3};  // of the run before
      CutTasks(panels, blocks, threads, claimed, starts);
      ASSERT_EQ(starts.front(), 0);
      ASSERT_EQ(starts.back(), panels * blocks);
      for (size_t i = 1; i < starts.size(); i++) {
        ASSERT_LT(starts[i - 1], starts[i]);
        ASSERT_EQ(starts[i - 1] / panels, (starts[i] - 1) / panels) << panels << " panels, task " << i - 1;
      }
    }
  }
}

TEST(LinearBlocking, ClaimedTasksBeginLargeAndEndSmall) {
  std::vector<int> starts;
  CutTasks(48, 1, 2, true, starts);
  EXPECT_EQ(Sizes(starts), (std::vector<int>{12, 9, 6, 5, 4, 3, 2, 1, 1, 1, 1, 1, 1, 1}));
  CutTasks(64, 3, 2, true, starts);
  const std::vector<int> sizes = Sizes(starts);
  for (size_t last = sizes.size() - 4; last < sizes.size(); last++) EXPECT_EQ(sizes[last], 1);
}

TEST(LinearBlocking, EveryShareBeginsWithTheTaskOfItsNumber) {
  std::vector<int> starts;
  for (int threads = 1; threads <= 20; threads++) {
    for (int panels = 1; panels <= 200; panels++) {
      CutTasks(panels, 1, threads, true, starts);
      for (int share = 0; share < threads; share++) {
        const int first = FirstOfShare(share, panels, threads);
        const bool has_one = share + 1 < static_cast<int>(starts.size());
        ASSERT_EQ(first, has_one ? starts[share] : panels - 1) << panels << " panels, " << threads << " threads";
      }
    }
  }
}

TEST(LinearBlocking, SharesThatAreDealtOutInAdvanceAreEqual) {
  std::vector<int> starts;
  CutTasks(48, 1, 2, false, starts);
  EXPECT_EQ(Sizes(starts), std::vector<int>(16, 3));
}

}  // namespace
}  // namespace lacos
