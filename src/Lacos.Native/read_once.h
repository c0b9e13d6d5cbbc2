// Memory of the caller that has been read and will hardly be read again.
#ifndef LACOS_READ_ONCE_H_
#define LACOS_READ_ONCE_H_

#include <cstddef>

namespace lacos {

// Lets the system take back the whole pages of this memory at once. What they hold stays: pages of a mapped file are
// read from it again when touched, and memory that has no other place is left alone.
void LetGo(const void* memory, size_t bytes);

}  // namespace lacos

#endif  // LACOS_READ_ONCE_H_
