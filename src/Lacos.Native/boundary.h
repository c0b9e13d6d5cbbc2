// How every function of the C header ends: errors become a status and the thread's message.
#ifndef LACOS_BOUNDARY_H_
#define LACOS_BOUNDARY_H_

#include <exception>
#include <new>

#include "lacos_native.h"
#include "status.h"

namespace lacos {

// Keeps the message for lacos_last_error and returns the status.
lacos_status Report(lacos_status status, const char* message) noexcept;

template <class Function>
lacos_status Guard(const Function& function) noexcept {
  try {
    function();
    return LACOS_OK;
  } catch (const Error& error) {
    return Report(error.status, error.message);
  } catch (const std::bad_alloc&) {
    return Report(LACOS_OUT_OF_MEMORY, "Out of memory; use a smaller model or batch, or free memory.");
  } catch (const std::exception& error) {
    return Report(LACOS_INTERNAL, error.what());
  } catch (...) {
    return Report(LACOS_INTERNAL, "An unknown exception reached the C boundary.");
  }
}

inline void NotNull(const void* pointer, const char* name) {
  if (pointer == nullptr) Fail(LACOS_INVALID_ARGUMENT, "%s is null.", name);
}

}  // namespace lacos

#endif  // LACOS_BOUNDARY_H_
