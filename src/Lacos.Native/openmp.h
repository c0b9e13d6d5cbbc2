// The OpenMP runtime that a framework in this process has loaded. Two sets of threads that spin while they wait would
// fight for the same cores: a loop of ours beside torch's own became fifteen times slower.
#ifndef LACOS_OPENMP_H_
#define LACOS_OPENMP_H_

#include <cstdint>

#include "loop_runner.h"
#include "loop_shares.h"

namespace lacos {

// Functions of libgomp, which libiomp5 and LLVM's libomp have too on Linux.
struct OpenMp {
  void (*parallel)(void (*body)(void*), void* data, unsigned threads, unsigned flags);
  int (*thread_number)();
  uint32_t forks = 0;  // ProcessForks when it was found: a child's runtime waits forever for threads of its parent
};

// Finds the functions in a library that is loaded already: never loads one. Throws Error LACOS_UNSUPPORTED.
OpenMp FindOpenMp(const char* library);

// Runs the loop on at most `threads` threads of the runtime; inside a parallel region of the caller that may be one.
// shares: of this loop. leave as in LoopThreads.
void RunOnOpenMp(const OpenMp& openmp, LoopShares& shares, int threads, int iterations, LoopRunner::Body body,
                 const void* context, void (*leave)());

}  // namespace lacos

#endif  // LACOS_OPENMP_H_
