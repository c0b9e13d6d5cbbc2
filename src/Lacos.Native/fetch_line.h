// A cache line that will be needed soon. Not for files compiled for wider instructions (kernel.h).
#ifndef LACOS_FETCH_LINE_H_
#define LACOS_FETCH_LINE_H_

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace lacos {

// Any address will do: what is not there is not fetched.
inline void FetchLine(const void* at) {
#if defined(__SSE2__) || defined(_M_X64)
  _mm_prefetch(static_cast<const char*>(at), _MM_HINT_T0);
#elif defined(__GNUC__)
  __builtin_prefetch(at);
#else
  (void)at;
#endif
}

// Into the second-level cache only: many lines that would push each other out of the first.
inline void FetchLineFarther(const void* at) {
#if defined(__SSE2__) || defined(_M_X64)
  _mm_prefetch(static_cast<const char*>(at), _MM_HINT_T1);
#elif defined(__GNUC__)
  __builtin_prefetch(at, 0, 2);
#else
  (void)at;
#endif
}

}  // namespace lacos

#endif  // LACOS_FETCH_LINE_H_
