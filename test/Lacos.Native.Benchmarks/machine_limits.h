// What this machine can do at most, measured in the same run as everything else: a bar is a share of these.
#ifndef LACOS_MACHINE_LIMITS_H_
#define LACOS_MACHINE_LIMITS_H_

namespace lacos {

// Measured once a process. int8 operations a second (2 a multiply-add) that the chosen instruction set reaches on registers alone.
double PeakInt8Operations(int threads);

// Measured once a process. Bytes a second that `threads` threads read from memory too large for a cache.
double ReadBandwidth(int threads);

// LACOS_NUM_THREADS, else what the machine allows.
int BenchmarkThreads();

}  // namespace lacos

#endif  // LACOS_MACHINE_LIMITS_H_
