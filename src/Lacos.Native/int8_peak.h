// What an instruction set reaches when nothing but its multiply-add runs: the yardstick of the benchmarks.
#ifndef LACOS_INT8_PEAK_H_
#define LACOS_INT8_PEAK_H_

namespace lacos {

// Integer operations a second (2 for each multiply-add) of the named kernel set's instruction, from registers, on
// `threads` threads for about `seconds`. Throws Error LACOS_UNSUPPORTED where there is no such loop.
double Int8Peak(const char* isa, int threads, double seconds);

}  // namespace lacos

#endif  // LACOS_INT8_PEAK_H_
