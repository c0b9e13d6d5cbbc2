#include "process_forks.h"

#include <atomic>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace lacos {
namespace {

std::atomic<uint32_t> forks{0};

}  // namespace

uint32_t ProcessForks() {
#if defined(__unix__) || defined(__APPLE__)
  static const int registered = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  static_cast<void>(registered);
#endif
  return forks.load(std::memory_order_relaxed);
}

}  // namespace lacos
