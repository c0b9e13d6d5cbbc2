// A loop over rows whose work is short: a few rows a task, and none beside the caller where even that is not worth it.
#ifndef LACOS_ROW_LOOP_H_
#define LACOS_ROW_LOOP_H_

#include <algorithm>
#include <cstdint>

#include "loop_runner.h"

namespace lacos {

// function(row, thread). cost: elements of a row.
template <class Function>
void ForRows(LoopRunner& runner, int rows, int cost, const Function& function) {
  // Below this many elements a loop over rows is done before other threads have noticed it.
  constexpr int kSerialElements = 4096;
  constexpr int kElementsATask = 4096;
  if (static_cast<int64_t>(rows) * cost <= kSerialElements) {
    for (int row = 0; row < rows; row++) function(row, 0);
    return;
  }
  const int rows_a_task = std::max(1, kElementsATask / cost);
  runner.For((rows + rows_a_task - 1) / rows_a_task, [&](int task, int thread) {
    for (int row = task * rows_a_task; row < std::min(rows, (task + 1) * rows_a_task); row++) function(row, thread);
  });
}

}  // namespace lacos

#endif  // LACOS_ROW_LOOP_H_
