// One int8 linear layer: fp32 rows in, fp32 rows out; quantising, dequantising and bias are in the time. Weights rotate
// through 512 MB, so that no cache serves them.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <limits>

#include "kernel_selection.h"
#include "layer_shapes.h"
#include "linear.h"
#include "machine_limits.h"
#include "numbers.h"
#include "thread_pool.h"

namespace lacos {
namespace {

// Layers of one shape in a row. Google Benchmark calls a benchmark several times until it runs long enough: they are
// kept until another shape comes.
struct RotatedLayers {
  int k = 0;
  int n = 0;
  AlignedBuffer<uint8_t> packed;
  std::vector<Int8Linear> layers;

  void Make(const KernelSet& kernels, ThreadPool& pool, int k_, int n_) {
    if (k == k_ && n == n_) return;
    layers.clear();
    k = k_;
    n = n_;
    Numbers numbers(1);
    // As rows of trained weights are: the largest of a row is about four times its standard deviation.
    std::vector<int8_t> codes(static_cast<size_t>(n) * k);
    for (int8_t& code : codes) code = static_cast<int8_t>(std::clamp(numbers.Normal(127.0f / 4), -127.0f, 127.0f));
    const std::vector<float> absmax(n, 1.0f);
    const WeightView weight({LACOS_SCHEME_ROWWISE, n, k, 0, codes.data(), absmax.data(), n, nullptr, {}}, n, k, "w",
                            -1);
    const size_t layer_bytes = Int8Linear::PackedBytes(kernels, n, k);
    packed.Reserve(kRotatedBytes + layer_bytes);
    for (size_t bytes = 0; bytes < kRotatedBytes; bytes += layer_bytes) {
      layers.emplace_back(kernels, weight, std::vector<float>(n, 0.5f), packed.data() + bytes);
      pool.For(layers.back().panel_count(), [&](int panel, int) { layers.back().PackPanel(weight, panel); });
    }
  }
};

void Int8LinearLayer(benchmark::State& state) {
  const int k = static_cast<int>(state.range(0)), n = static_cast<int>(state.range(1)),
            m = static_cast<int>(state.range(2));
  const KernelSet& kernels = SelectKernels(nullptr);
  ThreadPool pool(BenchmarkThreads());
  LinearScratch scratch;
  scratch.Reserve(kernels, pool.thread_count());
  static RotatedLayers rotated;
  rotated.Make(kernels, pool, k, n);
  const std::vector<Int8Linear>& layers = rotated.layers;
  Numbers numbers(2);
  const std::vector<float> x = numbers.Normals(static_cast<size_t>(m) * k, 1.0f);
  std::vector<float> y(static_cast<size_t>(m) * n);
  QuantizedRows rows;
  layers.front().ReserveRows(rows, m);
  size_t next = 0;
  const double peak = PeakInt8Operations(pool.thread_count());
  const double bandwidth = m == 1 ? ReadBandwidth(pool.thread_count()) : 0;
  for (auto _ : state) {
    const Int8Linear& layer = layers[next++ % layers.size()];
    const auto quantize = [&](int row, int) {
      rows.Set(kernels, row, x.data() + static_cast<size_t>(row) * k, k, std::numeric_limits<float>::infinity(),
               nullptr);
    };
    if (m == 1) {
      quantize(0, 0);
    } else {
      pool.For(m, quantize);
    }
    layer.Run(pool, scratch, rows, m, layer.bias(), nullptr, x.data(), static_cast<size_t>(k),
              {y.data(), static_cast<size_t>(n)});
    benchmark::DoNotOptimize(y.data());
  }
  const double operations = 2.0 * m * n * k;
  const auto rate = benchmark::Counter::kIsIterationInvariantRate;
  state.counters["of_peak"] = benchmark::Counter(operations / peak, rate);
  state.counters["GOPS"] = benchmark::Counter(operations * 1e-9, rate);
  if (bandwidth > 0) state.counters["of_bandwidth"] = benchmark::Counter(static_cast<double>(n) * k / bandwidth, rate);
  state.counters["weights_GB/s"] = benchmark::Counter(static_cast<double>(n) * k * 1e-9, rate);
}

BENCHMARK(Int8LinearLayer)->Apply(LayerShapes)->UseRealTime()->MeasureProcessCPUTime();

}  // namespace
}  // namespace lacos
