#include "machine_limits.h"

#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "aligned_buffer.h"
#include "cpu_features.h"
#include "thread_count.h"
#include "thread_pool.h"

namespace lacos {
namespace {

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

#if defined(__x86_64__) && defined(__GNUC__)
constexpr long kRounds = 400000;

#define LACOS_DOT(r) "vpdpbusd %%zmm30, %%zmm31, %%zmm" #r "\n\t"
__attribute__((target("avx512f,avx512vnni"))) void Dots(long rounds) {
  for (long i = 0; i < rounds; i++) {
    __asm__ volatile(LACOS_DOT(0) LACOS_DOT(1) LACOS_DOT(2) LACOS_DOT(3) LACOS_DOT(4) LACOS_DOT(5) LACOS_DOT(6)
                         LACOS_DOT(7) LACOS_DOT(8) LACOS_DOT(9) LACOS_DOT(10) LACOS_DOT(11)::
                             : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                               "xmm11");
  }
}
#endif

}  // namespace

int BenchmarkThreads() { return DefaultThreadCount().count; }

double PeakInt8Operations(int threads) {
#if defined(__x86_64__) && defined(__GNUC__)
  if ((DetectCpuFeatures() & kAvx512Vnni) == 0) return 0;
  ThreadPool pool(threads);
  double best = 0;
  for (int trial = 0; trial < 5; trial++) {
    const double start = Seconds();
    pool.For(threads * 8, [](int, int) { Dots(kRounds / 8); });
    const double rate = 12.0 * 128 * kRounds * threads / (Seconds() - start);
    best = rate > best ? rate : best;
  }
  return best;
#else
  (void)threads;
  return 0;
#endif
}

double ReadBandwidth(int threads) {
  const size_t bytes = size_t{512} << 20;
  static AlignedBuffer<uint64_t> memory = [] {
    AlignedBuffer<uint64_t> buffer((size_t{512} << 20) / 8);
    for (size_t i = 0; i < buffer.count(); i++) buffer[i] = i;
    return buffer;
  }();
  ThreadPool pool(threads);
  double best = 0;
  for (int trial = 0; trial < 5; trial++) {
    std::vector<uint64_t> sums(512);
    const double start = Seconds();
    pool.For(512, [&](int part, int) {
      const uint64_t* p = memory.data() + part * (memory.count() / 512);
      uint64_t sum[8] = {};
      for (size_t i = 0; i < memory.count() / 512; i += 8) {
        for (int j = 0; j < 8; j++) sum[j] += p[i + j];
      }
      for (int j = 0; j < 8; j++) sums[part] += sum[j];
    });
    const double rate = static_cast<double>(bytes) / (Seconds() - start);
    volatile uint64_t keep = sums[0];
    (void)keep;
    best = rate > best ? rate : best;
  }
  return best;
}

}  // namespace lacos
