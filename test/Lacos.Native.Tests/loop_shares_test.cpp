// Every item is taken once, neighbours after each other, whoever takes from whom.
#include "loop_shares.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <thread>
#include <vector>

#include "numbers.h"

namespace lacos {
namespace {

std::vector<int> TakeAll(LoopShares& shares, int share) {
  std::vector<int> taken;
  for (int item; (item = shares.Take(share)) >= 0;) taken.push_back(item);
  return taken;
}

TEST(LoopShares, OneThreadTakesItsOwnInOrderAndThenHalvesOfTheLargest) {
  LoopShares shares;
  shares.Deal(12, 2);
  EXPECT_EQ(TakeAll(shares, 0), (std::vector<int>{0, 1, 2, 3, 4, 5, 9, 10, 11, 7, 8, 6}));
  EXPECT_EQ(shares.Take(1), -1);
}

TEST(LoopShares, NextIsWhatTheOwnerTakes) {
  LoopShares shares;
  shares.Deal(10, 3);
  for (int share = 0; share < 3; share++) {
    for (int next; (next = shares.Next(share)) >= 0;) ASSERT_EQ(shares.Take(share), next);
  }
  EXPECT_EQ(shares.Take(0), -1);
}

TEST(LoopShares, BeginWithTheFirstOfTheShare) {
  for (int count = 1; count <= 20; count++) {
    for (int items = count; items <= 100; items++) {
      LoopShares shares;
      shares.Deal(items, count);
      for (int share = 0; share < count; share++) {
        ASSERT_EQ(shares.Next(share), LoopShares::First(items, count, share)) << items << " items, " << count;
      }
    }
  }
}

TEST(LoopShares, ThreadsTakeEveryItemOnce) {
  Numbers numbers(4);
  LoopShares shares;
  for (int round = 0; round < 300; round++) {
    const int count = numbers.Whole(1, 8);
    const int items = numbers.Whole(count, 2000);
    shares.Deal(items, count);
    std::vector<std::vector<int>> taken(count);
    std::vector<std::thread> threads;
    for (int share = 0; share < count; share++) {
      // Some share has no owner: the others empty it.
      if (count > 1 && share == round % (2 * count)) continue;
      threads.emplace_back([&, share] { taken[share] = TakeAll(shares, share); });
    }
    for (std::thread& thread : threads) thread.join();
    std::vector<int> all;
    for (const auto& some : taken) all.insert(all.end(), some.begin(), some.end());
    std::sort(all.begin(), all.end());
    std::vector<int> expected(static_cast<size_t>(items));
    std::iota(expected.begin(), expected.end(), 0);
    ASSERT_EQ(all, expected) << items << " items, " << count << " shares";
  }
}

}  // namespace
}  // namespace lacos
