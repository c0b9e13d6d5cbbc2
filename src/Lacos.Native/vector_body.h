// Row operations over a Vec that the including file has defined; each instruction set compiles its own copy.
//
// Every result depends on its own row only, and sums are made lane by lane and then in one fixed tree, so that a row's
// bits never depend on what stands beside it. Tails go through the same vector operations with zeros in the free lanes.
#include <math.h>

#include "kernel_sets.h"

namespace {

using lacos::Finish;
using lacos::QuantizeRow;

inline float SumLanes(Vec v) {
  float lane[kLanes];
  Store(lane, v);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; i++) lane[i] += lane[i + width];
  }
  return lane[0];
}

inline float MaxLanes(Vec v) {
  float lane[kLanes];
  Store(lane, v);
  float most = lane[0];
  for (int i = 1; i < kLanes; i++) most = lane[i] > most ? lane[i] : most;
  return most;
}

// exp with a relative error below 2e-7; arguments are clamped to -87..88, NaN gives exp(-87). Polynomial and split of
// ln 2 after Cephes' expf.
inline Vec Exp(Vec x) {
  x = Min(Max(x, Set(-87.0f)), Set(88.0f));
  const Vec n = RoundEven(Mul(x, Set(1.44269504088896341f)));
  Vec r = MulAdd(n, Set(-0.693359375f), x);
  r = MulAdd(n, Set(2.12194440e-4f), r);
  Vec p = Set(1.9875691500e-4f);
  p = MulAdd(p, r, Set(1.3981999507e-3f));
  p = MulAdd(p, r, Set(8.3334519073e-3f));
  p = MulAdd(p, r, Set(4.1665795894e-2f));
  p = MulAdd(p, r, Set(1.6666665459e-1f));
  p = MulAdd(p, r, Set(5.0000001201e-1f));
  p = Add(MulAdd(p, Mul(r, r), r), Set(1.0f));
  return Mul(p, PowerOfTwo(n));
}

// BLOOM's tanh GELU. 0.5 x (1 + tanh(u)) = x / (1 + exp(-2u)), which keeps its relative accuracy for negative x.
inline Vec Gelu(Vec x) {
  const Vec cubic = MulAdd(Mul(Set(0.044715f), Mul(x, x)), x, x);
  return Div(x, Add(Set(1.0f), Exp(Mul(Set(-2.0f * 0.79788456f), cubic))));
}

void LayerNorm(const float* x, int n, const float* weight, const float* bias, float epsilon, float* y) {
  const int whole = n - n % kLanes;
  const int rest = n - whole;
  Vec sum = Set(0.0f);
  for (int i = 0; i < whole; i += kLanes) sum = Add(sum, Load(x + i));
  if (rest > 0) sum = Add(sum, LoadFirst(x + whole, rest));
  const Vec mean = Set(SumLanes(sum) / static_cast<float>(n));
  Vec squares = Set(0.0f);
  for (int i = 0; i < whole; i += kLanes) {
    const Vec d = Sub(Load(x + i), mean);
    squares = MulAdd(d, d, squares);
  }
  if (rest > 0) {
    const Vec d = ZeroAfter(Sub(LoadFirst(x + whole, rest), mean), rest);
    squares = MulAdd(d, d, squares);
  }
  const float variance = SumLanes(squares) / static_cast<float>(n);
  const Vec inverse = Set(1.0f / sqrtf(variance + epsilon));
  for (int i = 0; i < whole; i += kLanes) {
    Store(y + i, MulAdd(Mul(Sub(Load(x + i), mean), inverse), Load(weight + i), Load(bias + i)));
  }
  if (rest > 0) {
    const Vec d = Mul(Sub(LoadFirst(x + whole, rest), mean), inverse);
    StoreFirst(y + whole, MulAdd(d, LoadFirst(weight + whole, rest), LoadFirst(bias + whole, rest)), rest);
  }
}

void Quantize(QuantizeRow& row) {
  const Vec limit = Set(row.limit);
  const int whole = row.n - row.n % kLanes;
  const int rest = row.n - whole;
  const Vec zero = Set(0.0f);
  Vec most = zero;
  Vec poison = zero;
  for (int i = 0; i < whole; i += kLanes) {
    const Vec x = Load(row.x + i);
    most = Max(most, ZeroUnlessBelow(Abs(x), limit));
    poison = MulAdd(x, zero, poison);
  }
  if (rest > 0) {
    const Vec x = LoadFirst(row.x + whole, rest);
    most = Max(most, ZeroUnlessBelow(Abs(x), limit));
    poison = MulAdd(x, zero, poison);
  }
  const float absmax = MaxLanes(most);
  // Below 1e-36 the reciprocal would overflow; such a row is zero for every purpose.
  const bool empty = absmax < 1e-36f;
  const Vec factor = Set(empty ? 0.0f : 127.0f / absmax);
  row.scale = (empty ? 0.0f : absmax / 127.0f) + SumLanes(poison);
  const Vec low = Set(-127.0f);
  const Vec high = Set(127.0f);
  Vec sum = zero;  // exact in floats: 127 * 131072 < 2^24
  int8_t* bytes = static_cast<int8_t*>(row.codes);
  int16_t* words = static_cast<int16_t*>(row.codes);
  // Always 16 elements a step, so that what lies in the padding does not depend on the number of lanes.
  for (int i = 0; i < row.n; i += 16) {
    for (int j = i; j < i + 16; j += kLanes) {
      const int left = row.n - j;
      Vec x = left >= kLanes ? Load(row.x + j) : LoadFirst(row.x + j, left > 0 ? left : 0);
      if (row.keep != nullptr) x = Mul(x, Load(row.keep + j));
      const Vec code = RoundEven(Min(Max(Mul(x, factor), low), high));
      sum = Add(sum, code);
      if (row.activation_bytes == 1) {
        StoreInt8(bytes + j, code);
      } else {
        StoreInt16(words + j, code);
      }
    }
  }
  row.sum = static_cast<int32_t>(SumLanes(sum));
}

inline Vec FinishVector(const Finish& f, int row, int column, Vec residual) {
  const size_t at = static_cast<size_t>(row) * f.panel + column;
  Vec value;
  if (f.int_sums != nullptr) {
    const Vec sums = Mul(FromInt(f.int_sums + at, f.offsets[row]), Set(f.row_scales[row]));
    value = MulAdd(sums, Load(f.column_scales + column), Load(f.bias + column));
  } else {
    value = Add(Load(f.float_sums + at), Load(f.bias + column));
  }
  if (f.extra != nullptr) value = Add(value, Load(f.extra + at));
  if (f.gelu) value = Gelu(value);
  return f.residual != nullptr ? Add(value, residual) : value;
}

void FinishTile(const Finish& f) {
  for (int row = 0; row < f.rows; row++) {
    float* out = f.out + row * f.out_stride;
    const float* residual = f.residual != nullptr ? f.residual + row * f.residual_stride : nullptr;
    for (int column = 0; column < f.columns; column += kLanes) {
      const int left = f.columns - column;
      if (left >= kLanes) {
        const Vec add = residual != nullptr ? Load(residual + column) : Set(0.0f);
        Store(out + column, FinishVector(f, row, column, add));
      } else {
        const Vec add = residual != nullptr ? LoadFirst(residual + column, left) : Set(0.0f);
        StoreFirst(out + column, FinishVector(f, row, column, add), left);
      }
    }
  }
}

float Softmax(float* s, int n, int padded, float scale, float slope) {
  float first[kLanes];
  for (int i = 0; i < kLanes; i++) first[i] = static_cast<float>(i);
  const Vec lanes = Load(first);
  const int rounded = (n + kLanes - 1) / kLanes * kLanes;
  for (int j = n; j < rounded; j++) s[j] = 0.0f;
  Vec most = Set(-3.0e38f);
  for (int j = 0; j < rounded; j += kLanes) {
    const Vec position = Add(lanes, Set(static_cast<float>(j)));
    const Vec score = MulAdd(position, Set(slope), Mul(Load(s + j), Set(scale)));
    Store(s + j, score);
    if (j + kLanes <= n) most = Max(most, score);
  }
  float highest = MaxLanes(most);
  for (int j = n - n % kLanes; j < n; j++) highest = s[j] > highest ? s[j] : highest;
  const Vec shift = Set(highest);
  Vec sum = Set(0.0f);
  for (int j = 0; j < rounded; j += kLanes) {
    Vec weight = Exp(Sub(Load(s + j), shift));
    if (j + kLanes > n) weight = ZeroAfter(weight, n - j);
    Store(s + j, weight);
    sum = Add(sum, weight);
  }
  for (int j = rounded; j < padded; j++) s[j] = 0.0f;
  return 1.0f / SumLanes(sum);
}

void Scale(const float* x, int n, float factor, float* y) {
  const Vec by = Set(factor);
  for (int i = 0; i < n; i += kLanes) {
    if (n - i >= kLanes) {
      Store(y + i, Mul(Load(x + i), by));
    } else {
      StoreFirst(y + i, Mul(LoadFirst(x + i, n - i), by), n - i);
    }
  }
}

}  // namespace
