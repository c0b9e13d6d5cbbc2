#include "aligned_buffer.h"

#include <cstdlib>

#include "lacos_native.h"
#include "status.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(_WIN32)
#include <malloc.h>
#endif

namespace lacos {
namespace {
constexpr size_t kHugePage = size_t{2} << 20;
}

void* AllocateAligned(size_t bytes) {
  const size_t alignment = bytes >= kHugePage ? kHugePage : 64;
  const size_t rounded = (bytes + 63) / 64 * 64;
  void* memory = nullptr;
  if (rounded >= bytes && bytes <= PTRDIFF_MAX) {
#if defined(_WIN32)
    memory = _aligned_malloc(rounded, alignment);
#else
    if (posix_memalign(&memory, alignment, rounded == 0 ? 64 : rounded) != 0) memory = nullptr;
#endif
  }
  if (memory == nullptr) {
    Fail(LACOS_OUT_OF_MEMORY, "No memory for a buffer of %zu bytes; use a smaller model or free memory.", bytes);
  }
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (alignment == kHugePage) madvise(memory, rounded, MADV_HUGEPAGE);
#endif
  return memory;
}

void FreeAligned(void* memory) {
#if defined(_WIN32)
  _aligned_free(memory);
#else
  std::free(memory);
#endif
}

}  // namespace lacos
