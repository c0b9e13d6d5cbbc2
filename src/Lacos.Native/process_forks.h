// Whether this process is the child of one that had used the library: threads stay behind in the parent.
#ifndef LACOS_PROCESS_FORKS_H_
#define LACOS_PROCESS_FORKS_H_

#include <cstdint>

namespace lacos {

// Forks on the way from the process that loaded the library to this one. What has threads compares it with what it was
// when they were made.
uint32_t ProcessForks();

}  // namespace lacos

#endif  // LACOS_PROCESS_FORKS_H_
