// Row operations of training over a Vec that the including file has defined, after vector_body.h.
#include "training_kernels.h"

namespace {

using lacos::DropoutRow;

// Calls whole(i) for every full vector of 0..n, then part(i, left) for what is left.
template <class Whole, class Part>
inline void ForVectors(int n, const Whole& whole, const Part& part) {
  const int end = n - n % kLanes;
  for (int i = 0; i < end; i += kLanes) whole(i);
  if (end < n) part(end, n - end);
}

void Drop(const DropoutRow& row, int n, float* x) {
  ForVectors(
      n, [&](int i) { Store(x + i, ZeroUnlessKept(Load(x + i), row.features + i, row.token, row.threshold)); },
      [&](int i, int left) {
        StoreFirst(x + i, ZeroUnlessKept(LoadFirst(x + i, left), row.features + i, row.token, row.threshold), left);
      });
}

void AddKept(const DropoutRow& row, int n, const float* x, float* y) {
  ForVectors(
      n,
      [&](int i) {
        Store(y + i, Add(Load(y + i), ZeroUnlessKept(Load(x + i), row.features + i, row.token, row.threshold)));
      },
      [&](int i, int left) {
        const Vec kept = ZeroUnlessKept(LoadFirst(x + i, left), row.features + i, row.token, row.threshold);
        StoreFirst(y + i, Add(LoadFirst(y + i, left), kept), left);
      });
}

void GeluRow(const float* x, int n, float* y) {
  ForVectors(
      n, [&](int i) { Store(y + i, Gelu(Load(x + i))); },
      [&](int i, int left) { StoreFirst(y + i, Gelu(LoadFirst(x + i, left)), left); });
}

// With u = sqrt(2/pi) (x + 0.044715 x^3) and s = 1 / (1 + exp(-2u)): gelu = x s, gelu' = s + 2 x s (1 - s) u'.
// Far out s is 0 or 1 in fp32 and the second part 0; |x| is held where neither factor of that overflows.
inline Vec GeluSlope(Vec x) {
  // In this order a NaN stays one.
  x = Min(Set(50.0f), Max(Set(-50.0f), x));
  const Vec square = Mul(x, x);
  const Vec cubic = MulAdd(Mul(Set(0.044715f), square), x, x);
  const Vec s = Div(Set(1.0f), Add(Set(1.0f), Exp2(Mul(Set(-2.0f * 0.79788456f * kLog2E), cubic))));
  const Vec inner = MulAdd(Set(2.0f * 0.79788456f * 3.0f * 0.044715f), square, Set(2.0f * 0.79788456f));
  return MulAdd(Mul(Mul(x, s), Sub(Set(1.0f), s)), inner, s);
}

void GeluBackward(const float* x, int n, float* gradient) {
  ForVectors(
      n, [&](int i) { Store(gradient + i, Mul(Load(gradient + i), GeluSlope(Load(x + i)))); },
      [&](int i, int left) {
        StoreFirst(gradient + i, Mul(LoadFirst(gradient + i, left), GeluSlope(LoadFirst(x + i, left))), left);
      });
}

// dx = (g - mean(g) - xhat mean(g xhat)) / deviation, with g = dy weight and xhat the normalised x.
void LayerNormBackward(const float* x, int n, const float* weight, float epsilon, const float* dy, float* dx) {
  const float count = static_cast<float>(n);
  Vec sum = Set(0.0f);
  ForVectors(
      n, [&](int i) { sum = Add(sum, Load(x + i)); }, [&](int i, int left) { sum = Add(sum, LoadFirst(x + i, left)); });
  const Vec mean = Set(SumLanes(sum) / count);
  Vec squares = Set(0.0f);
  Vec gradients = Set(0.0f);
  Vec products = Set(0.0f);
  ForVectors(
      n,
      [&](int i) {
        const Vec d = Sub(Load(x + i), mean);
        const Vec g = Mul(Load(dy + i), Load(weight + i));
        squares = MulAdd(d, d, squares);
        gradients = Add(gradients, g);
        products = MulAdd(g, d, products);
      },
      [&](int i, int left) {
        const Vec d = ZeroAfter(Sub(LoadFirst(x + i, left), mean), left);
        const Vec g = Mul(LoadFirst(dy + i, left), LoadFirst(weight + i, left));
        squares = MulAdd(d, d, squares);
        gradients = Add(gradients, g);
        products = MulAdd(g, d, products);
      });
  const float inverse = 1.0f / sqrtf(SumLanes(squares) / count + epsilon);
  const Vec scale = Set(inverse);
  const Vec shift = Set(SumLanes(gradients) / count);
  const Vec slope = Set(SumLanes(products) / count * inverse * inverse);
  const auto Gradient = [&](Vec value, Vec dy_value, Vec weight_value) {
    const Vec g = Mul(dy_value, weight_value);
    return Mul(Sub(Sub(g, shift), Mul(Sub(value, mean), slope)), scale);
  };
  ForVectors(
      n, [&](int i) { Store(dx + i, Add(Load(dx + i), Gradient(Load(x + i), Load(dy + i), Load(weight + i)))); },
      [&](int i, int left) {
        const Vec g = Gradient(LoadFirst(x + i, left), LoadFirst(dy + i, left), LoadFirst(weight + i, left));
        StoreFirst(dx + i, Add(LoadFirst(dx + i, left), g), left);
      });
}

void Pack(const float* x, int n, uint16_t* y) {
  ForVectors(
      n, [&](int i) { StoreHalf(y + i, Load(x + i)); },
      [&](int i, int left) {
        uint16_t rest[kLanes];
        StoreHalf(rest, LoadFirst(x + i, left));
        for (int j = 0; j < left; j++) y[i + j] = rest[j];
      });
}

void Unpack(const uint16_t* x, int n, float* y) {
  ForVectors(
      n, [&](int i) { Store(y + i, LoadHalf(x + i)); },
      [&](int i, int left) {
        uint16_t rest[kLanes] = {};
        for (int j = 0; j < left; j++) rest[j] = x[i + j];
        StoreFirst(y + i, LoadHalf(rest), left);
      });
}

void Multiply(const float* x, const float* y, int n, float* z) {
  ForVectors(
      n, [&](int i) { Store(z + i, Mul(Load(x + i), Load(y + i))); },
      [&](int i, int left) { StoreFirst(z + i, Mul(LoadFirst(x + i, left), LoadFirst(y + i, left)), left); });
}

void SoftmaxBackward(const float* p, int n, int padded, float scale, float* dp) {
  const int rounded = (n + kLanes - 1) / kLanes * kLanes;
  for (int j = n; j < padded; j++) dp[j] = 0.0f;
  Vec sum = Set(0.0f);
  for (int j = 0; j < rounded; j += kLanes) sum = MulAdd(Load(p + j), Load(dp + j), sum);
  const Vec shift = Set(SumLanes(sum));
  const Vec by = Set(scale);
  for (int j = 0; j < rounded; j += kLanes) {
    Store(dp + j, Mul(Mul(Load(p + j), Sub(Load(dp + j), shift)), by));
  }
}

}  // namespace
