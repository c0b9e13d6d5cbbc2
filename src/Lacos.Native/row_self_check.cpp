#include "row_self_check.h"

#include <limits>

#include "attention.h"
#include "self_check_numbers.h"

namespace lacos {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool LayerNormIsRight(const VectorKernels& kernel, const std::vector<float>& x) {
  const int n = static_cast<int>(x.size());
  double mean = 0, variance = 0;
  for (const float value : x) mean += value / static_cast<double>(n);
  for (const float value : x) variance += (value - mean) * (value - mean) / n;
  const std::vector<float> weight(x.size(), 2.0f), bias(x.size(), 0.5f);
  std::vector<float> y(x.size());
  kernel.layer_norm(x.data(), n, weight.data(), bias.data(), 1e-3f, y.data());
  for (int i = 0; i < n; i++) {
    if (!SelfCheckNear(y[i], (x[i] - mean) / std::sqrt(variance + 1e-3) * 2.0 + 0.5)) return false;
  }
  return true;
}

bool QuantisationIsRight(const VectorKernels& kernel, std::vector<float> x) {
  const int n = static_cast<int>(x.size());
  float absmax = 0;
  for (const float value : x) absmax = std::fabs(value) > absmax ? std::fabs(value) : absmax;
  std::vector<int8_t> codes(64);
  QuantizeRow row{x.data(), n, kInfinity, nullptr, codes.data(), 0, 0};
  kernel.quantize_row(row);
  int32_t sum = 0;
  for (int i = 0; i < n; i++) {
    if (codes[i] != static_cast<int>(std::nearbyint(x[i] * (127.0f / absmax)))) return false;
    sum += codes[i];
  }
  if (sum != row.sum || row.scale != absmax / 127.0f) return false;
  for (const float poison : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
    x[n - 1] = poison;
    kernel.quantize_row(row);
    if (!std::isnan(row.scale)) return false;
  }
  return true;
}

double Gelu(double x) { return 0.5 * x * (1 + std::tanh(0.79788456 * x * (1 + 0.044715 * x * x))); }

// Two rows of one panel, as integers and as floats, with everything that a layer may add.
bool FinishIsRight(const VectorKernels& kernel, SelfCheckNumbers& numbers, int panel, int columns, bool gelu) {
  constexpr int kRows = 2;
  std::vector<int32_t> sums(static_cast<size_t>(kRows) * panel);
  for (int32_t& sum : sums) sum = numbers.Code() * 100;
  const std::vector<int32_t> offsets = {300, -500};
  const std::vector<float> row_scales = {0.01f, 0.02f};
  const std::vector<float> floats = numbers.Reals(kRows * panel, 9.0f), extra = numbers.Reals(kRows * panel, 1.0f),
                           residual = numbers.Reals(kRows * panel, 1.0f), scales = numbers.Reals(panel, 0.03f),
                           bias = numbers.Reals(panel, 1.0f);
  const size_t stride = static_cast<size_t>(panel);
  for (const bool integers : {false, true}) {
    std::vector<float> out(sums.size(), 77.0f);
    kernel.finish({kRows, columns, panel, integers ? sums.data() : nullptr, integers ? nullptr : floats.data(),
                   offsets.data(), row_scales.data(), scales.data(), bias.data(), extra.data(), gelu, residual.data(),
                   stride, out.data(), stride});
    for (int row = 0; row < kRows; row++) {
      for (int j = 0; j < panel; j++) {
        const size_t at = row * stride + j;
        double value = floats[at];
        if (integers) value = static_cast<double>(sums[at] - offsets[row]) * row_scales[row] * scales[j];
        value += bias[j] + extra[at];
        const double expected = (gelu ? Gelu(value) : value) + residual[at];
        if (j < columns ? !SelfCheckNear(out[at], expected) : out[at] != 77.0f) return false;
      }
    }
  }
  return true;
}

bool SoftmaxIsRight(const VectorKernels& kernel, SelfCheckNumbers& numbers, int n) {
  const int padded = (n + 15) / 16 * 16;
  std::vector<float> s = numbers.Reals(padded, 30.0f);
  std::vector<double> expected;
  double most = -1e300, sum = 0;
  for (int j = 0; j < n; j++) {
    expected.push_back(s[j] * 0.25 + 0.125 * j);
    most = expected[j] > most ? expected[j] : most;
  }
  for (double& value : expected) sum += value = std::exp(value - most);
  const float inverse = kernel.softmax(s.data(), n, padded, 0.25f, 0.125f);
  kernel.scale(s.data(), n, inverse, s.data());
  for (int j = 0; j < padded; j++) {
    if (j < n ? !SelfCheckNear(s[j], expected[j] / sum) : s[j] != 0.0f) return false;
  }
  return true;
}

bool AttentionIsRight(const KernelSet& set, SelfCheckNumbers& numbers, int tokens, int size) {
  const FloatGemmKernel& gemm = *set.float_gemm;
  const int stride = 3 * size + 5;
  const std::vector<float> qkv = numbers.Reals(tokens * stride + gemm.columns, 1.0f);
  std::vector<float> context(static_cast<size_t>(tokens) * size);
  AttentionScratch scratch;
  scratch.Reserve(gemm, tokens, size);
  const float slope = 0.25f;
  RunAttentionHead(set,
                   {qkv.data(), static_cast<size_t>(stride), tokens, size, slope, context.data(),
                    static_cast<size_t>(size)},
                   scratch);
  for (int i = 0; i < tokens; i++) {
    std::vector<double> weights;
    double sum = 0;
    for (int j = 0; j <= i; j++) {
      double score = 0;
      for (int d = 0; d < size; d++) score += static_cast<double>(qkv[i * stride + d]) * qkv[j * stride + size + d];
      weights.push_back(std::exp(score / std::sqrt(static_cast<double>(size)) + slope * j));
      sum += weights[j];
    }
    for (int d = 0; d < size; d++) {
      double expected = 0;
      for (int j = 0; j <= i; j++) expected += weights[j] / sum * qkv[j * stride + 2 * size + d];
      if (!SelfCheckNear(context[static_cast<size_t>(i) * size + d], expected)) return false;
    }
  }
  return true;
}

}  // namespace

const char* CheckRowOperations(const KernelSet& set) {
  SelfCheckNumbers numbers;
  const VectorKernels& kernel = *set.vector;
  const int panel = set.int8_gemm->columns;
  for (const int n : {1, 7, 16, 33}) {
    const std::vector<float> x = numbers.Reals(n, 1.0f);
    if (!LayerNormIsRight(kernel, x)) return "layer norm";
    if (!QuantisationIsRight(kernel, x)) return "row quantisation";
    if (!SoftmaxIsRight(kernel, numbers, n)) return "softmax";
  }
  for (const int columns : {1, 7, panel}) {
    if (!FinishIsRight(kernel, numbers, panel, columns, false)) return "scales, bias and residual";
    if (!FinishIsRight(kernel, numbers, panel, columns, true)) return "GELU";
  }
  if (!AttentionIsRight(set, numbers, set.float_gemm->rows + 3, set.float_gemm->columns + 5)) return "attention";
  return nullptr;
}

}  // namespace lacos
