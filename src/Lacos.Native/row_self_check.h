#ifndef LACOS_ROW_SELF_CHECK_H_
#define LACOS_ROW_SELF_CHECK_H_

#include "kernel.h"

namespace lacos {

// The float operations of a set against plain loops: layer norm, row quantisation, what follows a product, softmax, and
// the attention that is made of them. Returns null when all is well, else what failed.
const char* CheckRowOperations(const KernelSet& set);

}  // namespace lacos

#endif  // LACOS_ROW_SELF_CHECK_H_
