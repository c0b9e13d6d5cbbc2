#include "openmp.h"

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
    Fail(LACOS_UNSUPPORTED,
         "'%.300s' is not loaded in this process; name the OpenMP library that the framework loaded.", library);
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

void RunOnOpenMp(const OpenMp& openmp, LoopShares& shares, int threads, int iterations, LoopRunner::Body body,
                 const void* context, void (*leave)()) {
  struct Loop {
    const OpenMp& openmp;
    LoopShares& shares;
    void (*leave)();
  } loop{openmp, shares, leave};
  shares.Deal(iterations, threads, body, context);
  openmp.parallel(
      [](void* data) {
        const Loop& mine = *static_cast<const Loop*>(data);
        mine.shares.Work(mine.openmp.thread_number());
        if (mine.leave != nullptr) mine.leave();
      },
      &loop, static_cast<unsigned>(threads), 0);
}

}  // namespace lacos
