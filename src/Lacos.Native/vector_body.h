// Row operations over a Vec that the including file has defined; each instruction set compiles its own copy.
//
// Every result depends on its own row only, and sums are made lane by lane and then by halves, so that a row's
// bits never depend on what stands beside it. Tails go through the same vector operations with zeros in the free lanes.
#include <math.h>

#include "kernel_sets.h"

namespace {

using lacos::Finish;
using lacos::QuantizeRow;

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

// Sums made side by side, because each step of one waits for the step before.
constexpr int kChains = 4;

// step(sum, i) over the vectors that begin at i = 0, kLanes, ... below end, a multiple of kLanes.
template <class Step>
inline Vec SumOver(int end, const Step& step) {
  Vec sums[kChains];
  for (int j = 0; j < kChains; j++) sums[j] = Set(0.0f);
  int i = 0;
  for (; i + kChains * kLanes <= end; i += kChains * kLanes) {
    for (int j = 0; j < kChains; j++) sums[j] = step(sums[j], i + j * kLanes);
  }
  for (; i < end; i += kLanes) sums[0] = step(sums[0], i);
  return Add(Add(sums[0], sums[1]), Add(sums[2], sums[3]));
}

void LayerNorm(const float* x, int n, const float* weight, const float* bias, float epsilon, float* y) {
  const int whole = n - n % kLanes;
  const int rest = n - whole;
  Vec sum = SumOver(whole, [=](Vec so_far, int i) { return Add(so_far, Load(x + i)); });
  if (rest > 0) sum = Add(sum, LoadFirst(x + whole, rest));
  const Vec mean = Set(SumLanes(sum) / static_cast<float>(n));
  Vec squares = SumOver(whole, [=](Vec so_far, int i) {
    const Vec d = Sub(Load(x + i), mean);
    return MulAdd(d, d, so_far);
  });
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

template <bool kLimited>
Range RangeOf(const float* x, int n, float limit_value) {
  const Vec limit = Set(limit_value);
  const Vec zero = Set(0.0f);
  const auto size = [=](Vec v) { return kLimited ? ZeroUnlessBelow(Abs(v), limit) : Abs(v); };
  Vec most[kChains], poison[kChains];
  for (int j = 0; j < kChains; j++) most[j] = poison[j] = zero;
  const int whole = n - n % (kChains * kLanes);
  for (int i = 0; i < whole; i += kChains * kLanes) {
    for (int j = 0; j < kChains; j++) {
      const Vec v = Load(x + i + j * kLanes);
      most[j] = Max(most[j], size(v));
      poison[j] = MulAdd(v, zero, poison[j]);
    }
  }
  Range range{Max(Max(most[0], most[1]), Max(most[2], most[3])),
              Add(Add(poison[0], poison[1]), Add(poison[2], poison[3]))};
  for (int i = whole; i < n; i += kLanes) {
    const Vec v = n - i >= kLanes ? Load(x + i) : LoadFirst(x + i, n - i);
    range.most = Max(range.most, size(v));
    range.poison = MulAdd(v, zero, range.poison);
  }
  return range;
}

template <bool kKeep>
inline Vec Scaled(const float* x, const float* keep, int i, Vec factor) {
  return Mul(kKeep ? Mul(Load(x + i), Load(keep + i)) : Load(x + i), factor);
}

template <bool kClamp>
inline Ints CodesOf(Vec scaled) {
  return ToInts(kClamp ? Min(Max(scaled, Set(-127.0f)), Set(127.0f)) : scaled);
}

// Returns the sum of the codes. What it reads of the row is copied first: codes are bytes, and bytes may lie anywhere.
template <bool kLimited, bool kKeep>
int32_t Encode(const QuantizeRow& row, Vec factor) {
  const float* x = row.x;
  const float* keep = row.keep;
  int8_t* codes = row.codes;
  const int n = row.n;
  const int padded = (n + 15) / 16 * 16;
  Ints sum = ZeroInts();
  int i = 0;
  // Without a limit nothing is out of range. A NaN may become any code: no result of its row is a number.
  for (; i + kByteVectors * kLanes <= n; i += kByteVectors * kLanes) {
    Ints code[kByteVectors];
    for (int j = 0; j < kByteVectors; j++) {
      code[j] = CodesOf<kLimited>(Scaled<kKeep>(x, keep, i + j * kLanes, factor));
    }
    sum = StoreCodes(codes + i, code, sum);
  }
  for (; i < padded; i += kLanes) {
    const int left = n - i;
    Vec value = left >= kLanes ? Load(x + i) : LoadFirst(x + i, left > 0 ? left : 0);
    if (kKeep) value = Mul(value, Load(keep + i));
    const Ints code = CodesOf<true>(Mul(value, factor));
    sum = AddInts(sum, code);
    StoreInt8(codes + i, code);
  }
  return SumInts(sum);
}

void Quantize(QuantizeRow& row) {
  const bool limited = row.limit <= 3.0e38f;
  const Range range = limited ? RangeOf<true>(row.x, row.n, row.limit) : RangeOf<false>(row.x, row.n, row.limit);
  const float absmax = MaxLanes(range.most);
  // Below 1e-36 the reciprocal would overflow; such a row is zero for every purpose. Nor is a NaN a factor: what pads
  // the row must stay zero, for there are no weights behind it.
  const bool empty = !(absmax >= 1e-36f);
  const Vec factor = Set(empty ? 0.0f : 127.0f / absmax);
  row.scale = (empty ? 0.0f : absmax / 127.0f) + SumLanes(range.poison);
  if (row.keep != nullptr) {
    row.sum = Encode<true, true>(row, factor);
  } else {
    row.sum = limited ? Encode<true, false>(row, factor) : Encode<false, false>(row, factor);
  }
}

// A few vectors of columns, row by row, so that what is written of a row are whole cache lines; scales and bias are
// loaded once. The last columns may be fewer than a vector: kVectors is 0 then.
template <bool kInt, bool kGelu, bool kResidual, int kVectors>
void FinishColumns(const Finish& f, int column) {
  constexpr int kLoaded = kVectors > 0 ? kVectors : 1;
  const size_t panel = static_cast<size_t>(f.panel);
  const size_t out_stride = f.out_stride;
  const size_t residual_stride = f.residual_stride;
  const int rows = f.rows;
  const int left = f.columns - column;
  const int32_t* int_sums = f.int_sums + (kInt ? column : 0);
  const float* float_sums = f.float_sums + (kInt ? 0 : column);
  const float* extra = f.extra == nullptr ? nullptr : f.extra + column;
  const float* residual = f.residual + (kResidual ? column : 0);
  const int32_t* offsets = f.offsets;
  const float* row_scales = f.row_scales;
  float* out = f.out + column;
  Vec scales[kLoaded], bias[kLoaded];
  for (int j = 0; j < kLoaded; j++) {
    scales[j] = kInt ? Load(f.column_scales + column + j * kLanes) : Set(0.0f);
    bias[j] = Load(f.bias + column + j * kLanes);
  }
  for (int row = 0; row < rows; row++) {
    const int32_t offset = kInt ? offsets[row] : 0;
    const Vec row_scale = Set(kInt ? row_scales[row] : 0.0f);
    const size_t at = panel * row;
    for (int j = 0; j < kLoaded; j++) {
      const int i = j * kLanes;
      Vec value;
      if (kInt) {
        value = MulAdd(Mul(FromInt(int_sums + at + i, offset), row_scale), scales[j], bias[j]);
      } else {
        value = Add(Load(float_sums + at + i), bias[j]);
      }
      if (extra != nullptr) value = Add(value, Load(extra + at + i));
      if (kGelu) value = Gelu(value);
      const float* from = residual + (kResidual ? residual_stride * row + i : 0);
      float* to = out + out_stride * row + i;
      if (kVectors > 0) {
        Store(to, kResidual ? Add(value, Load(from)) : value);
      } else {
        StoreFirst(to, kResidual ? Add(value, LoadFirst(from, left)) : value, left);
      }
    }
  }
}

template <bool kInt, bool kGelu, bool kResidual>
void FinishAll(const Finish& f) {
  int column = 0;
  for (; f.columns - column >= 2 * kLanes; column += 2 * kLanes) FinishColumns<kInt, kGelu, kResidual, 2>(f, column);
  for (; f.columns - column >= kLanes; column += kLanes) FinishColumns<kInt, kGelu, kResidual, 1>(f, column);
  if (column < f.columns) FinishColumns<kInt, kGelu, kResidual, 0>(f, column);
}

template <bool kInt, bool kGelu>
void FinishWith(const Finish& f) {
  f.residual != nullptr ? FinishAll<kInt, kGelu, true>(f) : FinishAll<kInt, kGelu, false>(f);
}

void FinishTile(const Finish& f) {
  if (f.int_sums != nullptr) {
    f.gelu ? FinishWith<true, true>(f) : FinishWith<true, false>(f);
  } else {
    f.gelu ? FinishWith<false, true>(f) : FinishWith<false, false>(f);
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

void Transpose(const float* const* rows, int count, int size, float* to, size_t to_stride) {
  int d = 0;
  for (; kSquare > 1 && d + kSquare <= size; d += kSquare) {
    for (int first = 0; first < count; first += kSquare) {
      Vec square[kSquare];
      for (int i = 0; i < kSquare; i++) square[i] = first + i < count ? Load(rows[first + i] + d) : Set(0.0f);
      TransposeSquare(square);
      for (int i = 0; i < kSquare; i++) Store(to + to_stride * (d + i) + first, square[i]);
    }
  }
  for (; d < size; d++) {
    for (int i = 0; i < count; i++) to[to_stride * d + i] = rows[i][d];
  }
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
