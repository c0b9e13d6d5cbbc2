#include "token_check.h"

#include "boundary.h"

namespace lacos {

TokenBatch CheckTokens(int vocabulary, int heads, const int32_t* ids, int64_t token_count, const int32_t* offsets,
                       int64_t rows) {
  NotNull(offsets, "row_offsets");
  const int most_rows = (INT32_MAX - 1) / heads;
  if (rows < 0 || rows > most_rows) {
    Fail(LACOS_INVALID_ARGUMENT, "row_count is %lld; with %d heads it must be from 0 to %d.",
         static_cast<long long>(rows), heads, most_rows);
  }
  if (token_count < 0 || token_count > INT32_MAX) {
    Fail(LACOS_INVALID_ARGUMENT, "token_count is %lld; it must be from 0 to 2^31 - 1.",
         static_cast<long long>(token_count));
  }
  if (token_count > 0) NotNull(ids, "token_ids");
  if (offsets[0] != 0) Fail(LACOS_INVALID_ARGUMENT, "row_offsets[0] is %d; it must be 0.", offsets[0]);
  for (int64_t i = 0; i < rows; i++) {
    if (offsets[i + 1] < offsets[i]) {
      Fail(LACOS_INVALID_ARGUMENT, "row_offsets[%lld] is %d, less than the %d before it; offsets must ascend.",
           static_cast<long long>(i + 1), offsets[i + 1], offsets[i]);
    }
  }
  if (offsets[rows] != token_count) {
    Fail(LACOS_INVALID_ARGUMENT, "row_offsets[%lld] is %d; the last offset must be the token count, %lld.",
         static_cast<long long>(rows), offsets[rows], static_cast<long long>(token_count));
  }
  for (int64_t i = 0; i < token_count; i++) {
    if (ids[i] < 0 || ids[i] >= vocabulary) {
      Fail(LACOS_INVALID_ARGUMENT,
           "token_ids[%lld] is %d; the model's vocabulary is 0 to %d. The tokenizer belongs to another model.",
           static_cast<long long>(i), ids[i], vocabulary - 1);
    }
  }
  return {ids, offsets, static_cast<int>(rows)};
}

}  // namespace lacos
