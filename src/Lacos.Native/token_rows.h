// Where the vectors of a sentence's tokens lie.
#ifndef LACOS_TOKEN_ROWS_H_
#define LACOS_TOKEN_ROWS_H_

#include <cstddef>
#include <cstdint>

namespace lacos {

struct TokenRows {
  const float* first;             // row 0
  size_t stride;                  // floats from row to row, of the prompt's too
  const int32_t* rows = nullptr;  // of each token, ~row for one of the prompt's; null: token i has row i
  const float* prompt = nullptr;  // row 0 of the prompt

  const float* operator[](int token) const {
    if (rows == nullptr) return first + stride * static_cast<size_t>(token);
    const int32_t row = rows[token];
    return row >= 0 ? first + stride * static_cast<size_t>(row) : prompt + stride * static_cast<size_t>(~row);
  }
};

}  // namespace lacos

#endif  // LACOS_TOKEN_ROWS_H_
