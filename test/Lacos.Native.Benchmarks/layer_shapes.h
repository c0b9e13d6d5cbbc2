// The linear layers of bloom-560m and bloom-7b1, by the rows of input that matter: one sentence of one token, a short
// one, batches.
#ifndef LACOS_LAYER_SHAPES_H_
#define LACOS_LAYER_SHAPES_H_

#include <benchmark/benchmark.h>

#include <utility>

namespace lacos {

// Weights rotate through this much, so that no cache serves them.
constexpr size_t kRotatedBytes = size_t{512} << 20;

inline void LayerShapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"k", "n", "m"});
  for (const auto& shape :
       {std::pair{1024, 3072}, {1024, 1024}, {1024, 4096}, {4096, 1024}, {4096, 12288}, {4096, 16384}, {16384, 4096}}) {
    for (const int m : {1, 5, 16, 128, 512}) benchmark->Args({shape.first, shape.second, m});
  }
}

}  // namespace lacos

#endif  // LACOS_LAYER_SHAPES_H_
