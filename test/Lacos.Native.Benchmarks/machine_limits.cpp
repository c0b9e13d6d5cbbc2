#include "machine_limits.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

#include "aligned_buffer.h"
#include "int8_peak.h"
#include "kernel_selection.h"
#include "thread_count.h"
#include "thread_pool.h"

namespace lacos {
namespace {

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

int BenchmarkThreads() { return DefaultThreadCount().count; }

double PeakInt8Operations(int threads) {
  static std::map<int, double> known;
  double& best = known[threads];
  if (best > 0) return best;
  for (int trial = 0; trial < 5; trial++) best = std::max(best, Int8Peak(SelectKernels(nullptr).name, threads, 0.1));
  return best;
}

double ReadBandwidth(int threads) {
  static std::map<int, double> known;
  double& best = known[threads];
  if (best > 0) return best;
  const size_t bytes = size_t{512} << 20;
  static AlignedBuffer<uint64_t> memory = [] {
    AlignedBuffer<uint64_t> buffer((size_t{512} << 20) / 8);
    for (size_t i = 0; i < buffer.count(); i++) buffer[i] = i;
    return buffer;
  }();
  ThreadPool pool(threads);
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
