// oneDNN's int8 linear layer beside ours, on the same shapes: --benchmark_filter=LinearLayer.
#include <benchmark/benchmark.h>

#include <memory>

#include "layer_shapes.h"
#include "machine_limits.h"
#include "numbers.h"
#include "onednn_linear.h"

namespace lacos {
namespace {

void OneDnnLinearLayer(benchmark::State& state) {
  const int k = static_cast<int>(state.range(0)), n = static_cast<int>(state.range(1)),
            m = static_cast<int>(state.range(2));
  Numbers numbers(1);
  const std::vector<int8_t> codes = numbers.Codes(static_cast<size_t>(n) * k);
  const std::vector<float> absmax(n, 1.0f), bias(n, 0.5f), x = numbers.Normals(static_cast<size_t>(m) * k, 1.0f);
  std::vector<float> y(static_cast<size_t>(m) * n);
  const int copies = static_cast<int>((kRotatedBytes + codes.size() - 1) / codes.size());
  const std::unique_ptr<onednn_linear, decltype(&onednn_linear_destroy)> linear(
      onednn_linear_create(n, k, m, copies, codes.data(), absmax.data(), bias.data(), BenchmarkThreads()),
      onednn_linear_destroy);
  if (linear == nullptr) {
    state.SkipWithError(onednn_linear_error());
    return;
  }
  int next = 0;
  for (auto _ : state) {
    if (onednn_linear_forward(linear.get(), next++ % copies, x.data(), y.data()) != 0) {
      state.SkipWithError(onednn_linear_error());
      break;
    }
    benchmark::DoNotOptimize(y.data());
  }
  state.SetLabel(std::string(onednn_linear_version()) + ' ' + onednn_linear_kernel(linear.get()));
  const auto rate = benchmark::Counter::kIsIterationInvariantRate;
  state.counters["GOPS"] = benchmark::Counter(2.0 * m * n * k * 1e-9, rate);
  state.counters["weights_GB/s"] = benchmark::Counter(static_cast<double>(n) * k * 1e-9, rate);
}

BENCHMARK(OneDnnLinearLayer)->Apply(LayerShapes)->UseRealTime()->MeasureProcessCPUTime();

}  // namespace
}  // namespace lacos
