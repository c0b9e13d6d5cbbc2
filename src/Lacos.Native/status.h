// Errors inside the library: thrown here, turned into a status and a message at the C boundary.
#ifndef LACOS_STATUS_H_
#define LACOS_STATUS_H_

#include <cstdint>

namespace lacos {

constexpr int kMessageLength = 512;

// Holds its message in place: making one must not fail for want of memory.
struct Error {
  int32_t status;
  char message[kMessageLength];
};

// Throws an Error with a printf-formatted message.
[[noreturn]]
#if defined(__MINGW32__) && !defined(__clang__)
__attribute__((format(gnu_printf, 2, 3)))
#elif defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void Fail(int32_t status, const char* format, ...);

}  // namespace lacos

#endif  // LACOS_STATUS_H_
