// Checks a ragged batch that came over the C boundary, before anything is read by its numbers.
#ifndef LACOS_TOKEN_CHECK_H_
#define LACOS_TOKEN_CHECK_H_

#include "model.h"

namespace lacos {

// Throws Error LACOS_INVALID_ARGUMENT. heads: of the model; each head of each row is one iteration of a loop.
TokenBatch CheckTokens(int vocabulary, int heads, const int32_t* ids, int64_t token_count, const int32_t* offsets,
                       int64_t rows);

}  // namespace lacos

#endif  // LACOS_TOKEN_CHECK_H_
