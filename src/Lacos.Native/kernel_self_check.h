#ifndef LACOS_KERNEL_SELF_CHECK_H_
#define LACOS_KERNEL_SELF_CHECK_H_

#include "kernel.h"

namespace lacos {

// Compares a set with plain loops on a few small tiles, rows and one head of attention: integer sums must be equal, floats
// close. Returns null when
// all is well, else what failed. Takes well under a millisecond.
const char* SelfCheck(const KernelSet& set);

}  // namespace lacos

#endif  // LACOS_KERNEL_SELF_CHECK_H_
