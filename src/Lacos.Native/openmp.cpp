#include "openmp.h"

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "lacos_native.h"
#include "process_forks.h"
#include "status.h"

#if defined(__linux__)
#include <dlfcn.h>
#endif

namespace lacos {

#if defined(__linux__)

OpenMp FindOpenMp(const char* library) {
  // Kept open, so that the functions stay where they are.
  void* handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) {
    Fail(LACOS_UNSUPPORTED, "'%.300s' is not loaded in this process; name the OpenMP library that the framework loaded.",
         library);
  }
  OpenMp openmp;
  openmp.parallel = reinterpret_cast<decltype(openmp.parallel)>(dlsym(handle, "GOMP_parallel"));
  openmp.thread_number = reinterpret_cast<decltype(openmp.thread_number)>(dlsym(handle, "omp_get_thread_num"));
  if (openmp.parallel == nullptr || openmp.thread_number == nullptr) {
    dlclose(handle);
    Fail(LACOS_UNSUPPORTED, "'%.300s' has no GOMP_parallel or omp_get_thread_num; it is no OpenMP runtime.", library);
  }
  openmp.forks = ProcessForks();
  return openmp;
}

#else

OpenMp FindOpenMp(const char* library) {
  Fail(LACOS_UNSUPPORTED, "'%.300s' cannot be shared: OpenMP runtimes are shared on Linux only.", library);
}

#endif

namespace {

// The first iteration of a thread's share; of the thread behind the last one, the end.
int FirstOfShare(int iterations, int threads, int thread) {
  return static_cast<int>(static_cast<int64_t>(iterations) * thread / threads);
}

}  // namespace

// Each thread begins with its own stretch of the iterations, the same in every loop of as many, and then helps the others
// with what is left of theirs: in a training step, whose rows are large, a thread so finds rows where it has itself
// written them. (The own pool deals out one iteration after the other, which suits the shorter loops of an encoder.)
void RunOnOpenMp(const OpenMp& openmp, int threads, int iterations, LoopRunner::Body body, const void* context) {
  constexpr int kMostShares = 64;
  struct alignas(64) Share {
    std::atomic<int> next;
    int end;
  };
  struct Loop {
    const OpenMp& openmp;
    LoopRunner::Body body;
    const void* context;
    int share_count;
    Share shares[kMostShares];
  } loop{openmp, body, context, std::min(threads, kMostShares), {}};
  for (int i = 0; i < loop.share_count; i++) {
    loop.shares[i].next.store(FirstOfShare(iterations, loop.share_count, i), std::memory_order_relaxed);
    loop.shares[i].end = FirstOfShare(iterations, loop.share_count, i + 1);
  }
  openmp.parallel(
      [](void* data) {
        Loop& mine = *static_cast<Loop*>(data);
        const int thread = mine.openmp.thread_number();
        for (int i = 0; i < mine.share_count; i++) {
          Share& share = mine.shares[(thread + i) % mine.share_count];
          for (int n; (n = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;) {
            mine.body(mine.context, n, thread);
          }
        }
      },
      &loop, static_cast<unsigned>(threads), 0);
}

}  // namespace lacos
