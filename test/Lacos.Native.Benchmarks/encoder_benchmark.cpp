// The whole encoder on random weights of real shapes.
#include <benchmark/benchmark.h>

#include "machine_limits.h"
#include "random_model.h"

namespace lacos {
namespace {

void Encoder(benchmark::State& state) {
  Shape shape;
  shape.hidden = static_cast<int>(state.range(0));
  shape.layers = static_cast<int>(state.range(1));
  shape.heads = static_cast<int>(state.range(2));
  shape.vocabulary = 1000;
  const int sentences = static_cast<int>(state.range(3)), length = static_cast<int>(state.range(4));
  const int threads = BenchmarkThreads();
  ModelOptions options;
  options.threads = threads;
  options.compute = static_cast<int>(state.range(5));
  const RandomModel model(shape, options.compute == LACOS_COMPUTE_FLOAT32 ? LACOS_SCHEME_NONE : LACOS_SCHEME_ROWWISE,
                          1);
  const ModelHandle handle = Create(model, options);
  Numbers numbers(2);
  Sentences batch;
  for (int i = 0; i < sentences; i++) batch.Add(RandomSentence(numbers, length, shape.vocabulary));
  const double peak = PeakInt8Operations(threads);
  for (auto _ : state) {
    std::vector<float> y = Encode(handle.get(), batch, shape.hidden, LACOS_POOL_MEAN);
    benchmark::DoNotOptimize(y.data());
  }
  const double tokens = static_cast<double>(sentences) * length;
  const auto rate = benchmark::Counter::kIsIterationInvariantRate;
  state.counters["tokens/s"] = benchmark::Counter(tokens, rate);
  const double operations = tokens * 2.0 * 12 * shape.hidden * shape.hidden * shape.layers;
  state.counters["of_peak"] = benchmark::Counter(operations / peak, rate);
}

BENCHMARK(Encoder)
    ->ArgNames({"hidden", "layers", "heads", "sentences", "length", "compute"})
    ->Args({1024, 24, 16, 32, 20, 0})
    ->Args({1024, 24, 16, 8, 20, 0})
    ->Args({1024, 24, 16, 1, 20, 0})
    ->Args({1024, 24, 16, 1, 5, 0})
    ->Args({1024, 4, 16, 8, 128, 0})
    ->Args({1024, 4, 16, 1, 2048, 0})
    ->Args({1024, 4, 16, 32, 20, 1})
    ->Args({1024, 4, 16, 32, 20, 2})
    ->Args({2048, 4, 16, 32, 20, 0})
    ->Args({384, 6, 6, 32, 20, 0})
    ->Args({384, 6, 6, 1, 20, 0})
    ->UseRealTime()
    ->MeasureProcessCPUTime();

}  // namespace
}  // namespace lacos
