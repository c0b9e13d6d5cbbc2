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

// 2^t with a relative error below 3e-7; t is clamped to -125..127, NaN gives 2^-125. The nearest whole number is split
// off by adding 1.5 * 2^23, which also leaves it in the low bits; the polynomial is the minimax one of degree 5 for the
// relative error on -0.5..0.5, with its constant term, 1 + 7e-8, set to 1.
inline Vec Exp2(Vec t) {
  t = Min(Max(t, Set(-125.0f)), Set(127.0f));
  const Vec shifted = Add(t, Set(12582912.0f));
  const Vec r = Sub(t, Sub(shifted, Set(12582912.0f)));
  Vec p = MulAdd(Set(1.32764725e-3f), r, Set(9.67554096e-3f));
  p = MulAdd(p, r, Set(5.55071309e-2f));
  p = MulAdd(p, r, Set(2.40221202e-1f));
  p = MulAdd(p, r, Set(6.93146944e-1f));
  p = MulAdd(p, r, Set(1.0f));
  return ScaleByPower(p, shifted);
}

constexpr float kLog2E = 1.44269504f;

// BLOOM's tanh GELU. 0.5 x (1 + tanh(u)) = x / (1 + exp(-2u)) with u = 0.79788456 (x + 0.044715 x^3), which keeps its
// relative accuracy for negative x.
inline Vec Gelu(Vec x) {
  constexpr float kLinear = -2.0f * 0.79788456f * kLog2E;
  const Vec slope = MulAdd(Mul(x, x), Set(kLinear * 0.044715f), Set(kLinear));
  return Div(x, Add(Set(1.0f), Exp2(Mul(x, slope))));
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

// What a row's scale depends on: the largest |x|, and NaN where the row has one or an infinity.
struct Range {
  Vec most;
  Vec poison;
};

inline void Widen(Range& range, Vec x) {
  range.most = Max(range.most, Abs(x));
  range.poison = MulAdd(x, Set(0.0f), range.poison);
}

inline Range RangeOf(const QuantizeRow& row) {
  const Vec limit = Set(row.limit);
  const bool limited = row.limit <= 3.0e38f;
  Range range{Set(0.0f), Set(0.0f)};
  for (int i = 0; i < row.n; i += kLanes) {
    const Vec x = row.n - i >= kLanes ? Load(row.x + i) : LoadFirst(row.x + i, row.n - i);
    if (limited) {
      range.most = Max(range.most, ZeroUnlessBelow(Abs(x), limit));
      range.poison = MulAdd(x, Set(0.0f), range.poison);
    } else {
      Widen(range, x);
    }
  }
  return range;
}

template <class Code>
inline void StoreCodes(Code* codes, Ints v);
template <>
inline void StoreCodes(int8_t* codes, Ints v) {
  StoreInt8(codes, v);
}
template <>
inline void StoreCodes(int16_t* codes, Ints v) {
  StoreInt16(codes, v);
}

template <class Code, bool kKeep>
int32_t Encode(const QuantizeRow& row, Vec factor) {
  const Vec low = Set(-127.0f);
  const Vec high = Set(127.0f);
  Code* codes = static_cast<Code*>(row.codes);
  Ints sum = ZeroInts();
  const auto step = [&](Vec x, int at) {
    if (kKeep) x = Mul(x, Load(row.keep + at));
    const Ints code = ToInts(Min(Max(Mul(x, factor), low), high));
    sum = AddInts(sum, code);
    StoreCodes(codes + at, code);
  };
  int i = 0;
  for (; i + 16 <= row.n; i += 16) {
    for (int j = i; j < i + 16; j += kLanes) step(Load(row.x + j), j);
  }
  // Always 16 elements a step, so that what lies in the padding does not depend on the number of lanes.
  if (i < row.n) {
    for (int j = i; j < i + 16; j += kLanes) {
      const int left = row.n - j;
      step(left >= kLanes ? Load(row.x + j) : LoadFirst(row.x + j, left > 0 ? left : 0), j);
    }
  }
  int32_t lane[kLanes];
  StoreInts(lane, sum);
  for (int j = 1; j < kLanes; j++) lane[0] += lane[j];
  return lane[0];
}

void QuantizeWithin(const Range& range, QuantizeRow& row) {
  const float absmax = MaxLanes(range.most);
  // Below 1e-36 the reciprocal would overflow; such a row is zero for every purpose.
  const bool empty = absmax < 1e-36f;
  const Vec factor = Set(empty ? 0.0f : 127.0f / absmax);
  row.scale = (empty ? 0.0f : absmax / 127.0f) + SumLanes(range.poison);
  const bool keep = row.keep != nullptr;
  if (row.activation_bytes == 1) {
    row.sum = keep ? Encode<int8_t, true>(row, factor) : Encode<int8_t, false>(row, factor);
  } else {
    row.sum = keep ? Encode<int16_t, true>(row, factor) : Encode<int16_t, false>(row, factor);
  }
}

void Quantize(QuantizeRow& row) { QuantizeWithin(RangeOf(row), row); }

// One vector of columns of all rows: scales and bias are loaded once, and the rows' chains run side by side.
template <bool kInt, bool kGelu>
void FinishColumns(const Finish& f, int column) {
  const int left = f.columns - column;
  const Vec column_scales = kInt ? Load(f.column_scales + column) : Set(0.0f);
  const Vec bias = Load(f.bias + column);
  const auto value_at = [&](int row) {
    const size_t at = static_cast<size_t>(row) * f.panel + column;
    Vec value;
    if (kInt) {
      value = MulAdd(Mul(FromInt(f.int_sums + at, f.offsets[row]), Set(f.row_scales[row])), column_scales, bias);
    } else {
      value = Add(Load(f.float_sums + at), bias);
    }
    if (f.extra != nullptr) value = Add(value, Load(f.extra + at));
    return kGelu ? Gelu(value) : value;
  };
  float* out = f.out + column;
  const float* residual = f.residual != nullptr ? f.residual + column : nullptr;
  if (left >= kLanes && residual == nullptr) {
    for (int row = 0; row < f.rows; row++) Store(out + row * f.out_stride, value_at(row));
  } else if (left >= kLanes) {
    for (int row = 0; row < f.rows; row++) {
      Store(out + row * f.out_stride, Add(value_at(row), Load(residual + row * f.residual_stride)));
    }
  } else {
    for (int row = 0; row < f.rows; row++) {
      Vec value = value_at(row);
      if (residual != nullptr) value = Add(value, LoadFirst(residual + row * f.residual_stride, left));
      StoreFirst(out + row * f.out_stride, value, left);
    }
  }
}

template <bool kInt, bool kGelu>
void FinishAll(const Finish& f) {
  for (int column = 0; column < f.columns; column += kLanes) FinishColumns<kInt, kGelu>(f, column);
}

void FinishTile(const Finish& f) {
  if (f.int_sums != nullptr) {
    f.gelu ? FinishAll<true, true>(f) : FinishAll<true, false>(f);
  } else {
    f.gelu ? FinishAll<false, true>(f) : FinishAll<false, false>(f);
  }
}

float Softmax(float* s, int n, int padded, float scale, float slope) {
  float first[kLanes];
  for (int i = 0; i < kLanes; i++) first[i] = static_cast<float>(i);
  const Vec lanes = Load(first);
  const int rounded = (n + kLanes - 1) / kLanes * kLanes;
  for (int j = n; j < rounded; j++) s[j] = 0.0f;
  Vec most = Set(-3.0e38f);
  const Vec binary_scale = Set(scale * kLog2E);
  const Vec binary_slope = Set(slope * kLog2E);
  for (int j = 0; j < rounded; j += kLanes) {
    const Vec position = Add(lanes, Set(static_cast<float>(j)));
    const Vec score = MulAdd(position, binary_slope, Mul(Load(s + j), binary_scale));
    Store(s + j, score);
    if (j + kLanes <= n) most = Max(most, score);
  }
  float highest = MaxLanes(most);
  for (int j = n - n % kLanes; j < n; j++) highest = s[j] > highest ? s[j] : highest;
  const Vec shift = Set(highest);
  Vec sum = Set(0.0f);
  for (int j = 0; j < rounded; j += kLanes) {
    Vec weight = Exp2(Sub(Load(s + j), shift));
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
