#include "reference_encoder.h"

#include <algorithm>
#include <cmath>

namespace lacos {
namespace {

using Rows = std::vector<double>;

Rows Norm(const RandomNorm& norm, const Rows& x, int h) {
  Rows y(x.size());
  for (size_t row = 0; row < x.size(); row += h) {
    double mean = 0, variance = 0;
    for (int i = 0; i < h; i++) mean += x[row + i] / h;
    for (int i = 0; i < h; i++) variance += (x[row + i] - mean) * (x[row + i] - mean) / h;
    for (int i = 0; i < h; i++) {
      y[row + i] = (x[row + i] - mean) / std::sqrt(variance + 1e-5f) * norm.weight[i] + norm.bias[i];
    }
  }
  return y;
}

double Slope(int head, int heads) {
  int whole = 1;
  while (whole * 2 <= heads) whole *= 2;
  const auto power = [](int count, int exponent) {
    return std::pow(std::pow(2.0, -std::pow(2.0, -(std::log2(count) - 3))), exponent);
  };
  return head < whole ? power(whole, head + 1) : power(2 * whole, 2 * (head - whole) + 1);
}

Rows Attention(const Rows& qkv, int h, int heads) {
  const int size = h / heads;
  const int tokens = static_cast<int>(qkv.size()) / (3 * h);
  Rows context(static_cast<size_t>(tokens) * h);
  for (int head = 0; head < heads; head++) {
    const auto at = [&](int token, int which, int d) {
      return qkv[static_cast<size_t>(token) * 3 * h + (head * 3 + which) * size + d];
    };
    for (int i = 0; i < tokens; i++) {
      Rows weights(i + 1);
      double sum = 0, most = -1e300;
      for (int j = 0; j <= i; j++) {
        for (int d = 0; d < size; d++) weights[j] += at(i, 0, d) * at(j, 1, d);
        weights[j] = weights[j] / std::sqrt(size) + Slope(head, heads) * j;
        most = std::max(most, weights[j]);
      }
      for (double& weight : weights) sum += weight = std::exp(weight - most);
      for (int d = 0; d < size; d++) {
        double value = 0;
        for (int j = 0; j <= i; j++) value += weights[j] / sum * at(j, 2, d);
        context[static_cast<size_t>(i) * h + head * size + d] = value;
      }
    }
  }
  return context;
}

void Add(Rows& x, const Rows& y) {
  for (size_t i = 0; i < x.size(); i++) x[i] += y[i];
}

}  // namespace

double ReferenceGelu(double x) { return 0.5 * x * (1 + std::tanh(0.79788456 * x * (1 + 0.044715 * x * x))); }

std::vector<double> ReferenceLinear(const RandomLinear& linear, const std::vector<double>& x,
                                    const ReferenceOptions& options) {
  const int k = linear.weight.columns, n = linear.weight.rows;
  const int m = static_cast<int>(x.size()) / k;
  const double limit = options.outlier_threshold > 0 ? options.outlier_threshold : 1e300;
  std::vector<char> outlier(k);
  for (size_t i = 0; options.int8 && i < x.size(); i++) outlier[i % k] |= std::fabs(x[i]) >= limit;
  std::vector<double> y(static_cast<size_t>(m) * n);
  for (int row = 0; row < m; row++) {
    double absmax = 0;
    for (int i = 0; i < k; i++) {
      const double value = std::fabs(x[static_cast<size_t>(row) * k + i]);
      if (value < limit) absmax = std::max(absmax, value);
    }
    for (int o = 0; o < n; o++) {
      double sum = linear.bias[o];
      for (int i = 0; i < k; i++) {
        double value = x[static_cast<size_t>(row) * k + i];
        if (options.int8 && !outlier[i]) {
          value = absmax == 0 ? 0 : std::nearbyint(value * 127 / absmax) * absmax / 127;
        }
        sum += value * linear.weight.At(o, i);
      }
      y[static_cast<size_t>(row) * n + o] = sum;
    }
  }
  return y;
}

std::vector<double> ReferenceTokens(const RandomModel& model, const std::vector<int32_t>& ids,
                                    const ReferenceOptions& options) {
  const int h = model.shape.hidden;
  Rows x;
  for (const int32_t id : ids) {
    for (int i = 0; i < h; i++) x.push_back(model.embeddings.At(id, i));
  }
  x = Norm(model.embeddings_norm, x, h);
  for (const RandomBlock& block : model.blocks) {
    Rows normed = Norm(block.input_norm, x, h);
    const Rows qkv = ReferenceLinear(block.query_key_value, normed, options);
    if (model.shape.post_norm_residual) x = normed;
    Add(x, ReferenceLinear(block.dense, Attention(qkv, h, model.shape.heads), options));
    normed = Norm(block.post_norm, x, h);
    Rows up = ReferenceLinear(block.up, normed, options);
    for (double& value : up) value = ReferenceGelu(value);
    if (model.shape.post_norm_residual) x = normed;
    Add(x, ReferenceLinear(block.down, up, options));
  }
  return Norm(model.final_norm, x, h);
}

}  // namespace lacos
