// int8 rows x int8 weights on AVX2, exact. vpmaddubsw multiplies 32 unsigned by signed bytes and adds pairs in 16 bits;
// two of its results are added there before vpmaddwd widens them: five instructions for 64 multiply-adds, where
// vpmaddwd on widened bytes takes eight.
//
// With weights shifted to 0..255, the four products that meet in 16 bits stay within -32768..32767 if the positive
// codes among the four sum to at most 128, and the negative ones to at least -128. Rows are made so by Split: what is
// above is taken out of a row and multiplied in steps of its own. Where the weights themselves are known to be small
// enough (WeightReach), more may stay.
#include <immintrin.h>

#include "kernel_sets.h"

namespace lacos {
namespace {

constexpr int kRowsMost = 4;
constexpr int kColumns = 16;
constexpr uint32_t kGroupBytes = kColumns * 4;
constexpr int kSumMost = 128;

inline __m256i Weights(const uint8_t* b) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b)); }

inline void LoadSums(const int32_t* from, __m256i* c) {
  c[0] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  c[1] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from) + 1);
}

inline void StoreSums(int32_t* to, const __m256i* c) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), c[0]);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to) + 1, c[1]);
}

// Eight columns of a row times their weights for eight outputs.
inline __m256i MultiplyPair(__m256i w0, __m256i x0, __m256i w1, __m256i x1) {
  const __m256i sums = _mm256_add_epi16(_mm256_maddubs_epi16(w0, x0), _mm256_maddubs_epi16(w1, x1));
  return _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
}

void AddExcess(const Int8Tile& t, int first, int last) {
  const uint8_t* panel = t.b - static_cast<ptrdiff_t>(t.first_group) * static_cast<ptrdiff_t>(kGroupBytes);
  for (const ExcessStep* e = t.excess.steps + first; e != t.excess.steps + last; e++) {
    int32_t* sums = t.c + e->sums / sizeof(int32_t);
    const uint8_t* b0 = panel + e->offsets[0];
    const uint8_t* b1 = panel + e->offsets[1];
    const __m256i x0 = _mm256_set1_epi32(e->codes[0]), x1 = _mm256_set1_epi32(e->codes[1]);
    __m256i c[2];
    LoadSums(sums, c);
    c[0] = _mm256_add_epi32(c[0], MultiplyPair(Weights(b0), x0, Weights(b1), x1));
    c[1] = _mm256_add_epi32(c[1], MultiplyPair(Weights(b0 + 32), x0, Weights(b1 + 32), x1));
    StoreSums(sums, c);
  }
}

template <int kRows>
void Tile(const Int8Tile& t) {
  const int8_t* a[kRows];
  __m256i c[kRows][2];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; i++) {
    a[i] = static_cast<const int8_t*>(t.a) + i * t.a_stride;
    if (t.accumulate) {
      LoadSums(t.c + i * kColumns, c[i]);
    } else {
      c[i][0] = c[i][1] = _mm256_setzero_si256();
    }
  }
  const __m256i ones = _mm256_set1_epi16(1);
  const uint8_t* b = t.b;
  const char* ahead = reinterpret_cast<const char*>(t.ahead);
  const size_t step = static_cast<size_t>(t.ahead_bytes);
  const size_t end = static_cast<size_t>(t.k_groups) * 4;
  size_t k = 0;
  for (int part = t.first_group * 4 / kExcessColumns; k < end; part++) {
    const size_t part_end = k + kExcessColumns < end ? k + kExcessColumns : end;
    for (; k + 8 <= part_end; k += 8) {
      _mm_prefetch(ahead, _MM_HINT_T0);
      _mm_prefetch(ahead + step, _MM_HINT_T0);
      const __m256i w00 = Weights(b), w01 = Weights(b + 32), w10 = Weights(b + 64), w11 = Weights(b + 96);
#pragma GCC unroll 4
      for (int i = 0; i < kRows; i++) {
        const __m256i x0 = _mm256_set1_epi32(*reinterpret_cast<const int32_t*>(a[i] + k));
        const __m256i x1 = _mm256_set1_epi32(*reinterpret_cast<const int32_t*>(a[i] + k + 4));
        c[i][0] = _mm256_add_epi32(c[i][0], MultiplyPair(w00, x0, w10, x1));
        c[i][1] = _mm256_add_epi32(c[i][1], MultiplyPair(w01, x0, w11, x1));
      }
      b += 2 * kGroupBytes;
      ahead += 2 * step;
    }
    if (k < part_end) {
      const __m256i w0 = Weights(b), w1 = Weights(b + 32);
#pragma GCC unroll 4
      for (int i = 0; i < kRows; i++) {
        const __m256i x = _mm256_set1_epi32(*reinterpret_cast<const int32_t*>(a[i] + k));
        c[i][0] = _mm256_add_epi32(c[i][0], _mm256_madd_epi16(_mm256_maddubs_epi16(w0, x), ones));
        c[i][1] = _mm256_add_epi32(c[i][1], _mm256_madd_epi16(_mm256_maddubs_epi16(w1, x), ones));
      }
      k = part_end;
    }
    // While the weights are in the first-level cache. Rows take turns in the list, so that a step need not wait for the
    // sums of the one before it to come back from memory.
    const int first_step = t.excess.starts[part], last_step = t.excess.starts[part + 1];
    if (first_step == last_step && k < end) continue;
#pragma GCC unroll 4
    for (int i = 0; i < kRows; i++) StoreSums(t.c + i * kColumns, c[i]);
    AddExcess(t, first_step, last_step);
    if (k == end) return;
#pragma GCC unroll 4
    for (int i = 0; i < kRows; i++) LoadSums(t.c + i * kColumns, c[i]);
  }
}

// One row whose codes nobody has split, widened to 16 bits: it runs at the speed of memory.
void Widened(const Int8Tile& t) {
  const int8_t* a = static_cast<const int8_t*>(t.a);
  const uint8_t* b = t.b;
  const char* ahead = reinterpret_cast<const char*>(t.ahead);
  __m256i c[4] = {};  // four outputs each, two sums an output
  for (int group = 0; group < t.k_groups; group++) {
    _mm_prefetch(ahead, _MM_HINT_T0);
    const __m128i codes =
        _mm_cvtepi8_epi16(_mm_cvtsi32_si128(*reinterpret_cast<const int32_t*>(a + static_cast<size_t>(group) * 4)));
    const __m256i x = _mm256_broadcastq_epi64(codes);
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b + 16 * j));
      c[j] = _mm256_add_epi32(c[j], _mm256_madd_epi16(_mm256_cvtepu8_epi16(bytes), x));
    }
    b += kGroupBytes;
    ahead += t.ahead_bytes;
  }
  for (int half = 0; half < 2; half++) {
    __m256i* to = reinterpret_cast<__m256i*>(t.c) + half;
    const __m256i sums = _mm256_permute4x64_epi64(_mm256_hadd_epi32(c[2 * half], c[2 * half + 1]), 0xD8);
    _mm256_storeu_si256(to, t.accumulate ? _mm256_add_epi32(_mm256_loadu_si256(to), sums) : sums);
  }
}

void Run(const Int8Tile& t) {
  if (t.excess.starts == nullptr) return Widened(t);
  switch (t.rows) {
    case 1:
      return Tile<1>(t);
    case 2:
      return Tile<2>(t);
    case 3:
      return Tile<3>(t);
    default:
      return Tile<kRowsMost>(t);
  }
}

inline __m256i ZeroExtended(__m128i x) { return _mm256_inserti128_si256(_mm256_setzero_si256(), x, 0); }

// Sums of neighbouring positive codes and of neighbouring negative ones, as magnitudes.
struct PairSums {
  __m256i positive;
  __m256i negative;
};

inline PairSums SumPairs(__m256i codes) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i ones = _mm256_set1_epi8(1);
  // |-128| is 128 as an unsigned byte, which it is to vpmaddubsw.
  const __m256i negative = _mm256_and_si256(_mm256_abs_epi8(codes), _mm256_cmpgt_epi8(zero, codes));
  return {_mm256_maddubs_epi16(_mm256_max_epi8(codes, zero), ones), _mm256_maddubs_epi16(negative, ones)};
}

// Of every two groups, which lie in 64 bits: whether they may be multiplied in one step. One bit a step, set where not.
inline int Overflows(const PairSums& sums) {
  const __m256i positive = _mm256_add_epi16(sums.positive, _mm256_srli_epi64(sums.positive, 32));
  const __m256i negative = _mm256_add_epi16(sums.negative, _mm256_srli_epi64(sums.negative, 32));
  const __m256i most = _mm256_max_epi16(positive, negative);
  // The sums are in the lower half, two of them; each goes to where movemask looks.
  const __m256i above = _mm256_slli_epi64(_mm256_cmpgt_epi16(most, _mm256_set1_epi16(kSumMost)), 32);
  return _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_or_si256(above, _mm256_slli_epi64(above, 16))));
}

// The same by what the weights can do at most (WeightReach): sum code * (weight + 128) is 128 * sum code and a rest
// that, by Cauchy and Schwarz, is at most |codes| * |weights|. Of 16 codes; reach of the two steps. One is left of the
// bound for what floats round off.
inline int OverflowsWithin(__m128i codes, __m128 reach) {
  const __m128i magnitudes = _mm_abs_epi8(codes);
  const __m256 squares = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_maddubs_epi16(magnitudes, magnitudes)));
  const __m256 sums = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_maddubs_epi16(_mm_set1_epi8(1), codes)));
  const __m256 reaches =
      _mm256_permutevar8x32_ps(_mm256_castps128_ps256(reach), _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1));
  const __m256 sign = _mm256_set1_ps(-0.0f);
  const auto overflows = [&](__m256 square, __m256 sum) {
    const __m256 room = _mm256_fnmadd_ps(_mm256_andnot_ps(sign, sum), _mm256_set1_ps(128.0f), _mm256_set1_ps(32766.0f));
    const __m256 far = _mm256_cmp_ps(_mm256_mul_ps(square, reaches), _mm256_mul_ps(room, room), _CMP_GT_OQ);
    return _mm256_or_ps(far, _mm256_cmp_ps(room, _mm256_setzero_ps(), _CMP_LE_OQ));
  };
  // Each product by itself, which saturates, and the two that are added.
  const auto with_other = [](__m256 x) { return _mm256_add_ps(x, _mm256_permute_ps(x, 0x4E)); };
  const int any =
      _mm256_movemask_ps(_mm256_or_ps(overflows(squares, sums), overflows(with_other(squares), with_other(sums))));
  return ((any & 15) != 0 ? 1 : 0) | ((any >> 4) != 0 ? 2 : 0);
}

inline bool Fit(int32_t group, int32_t other) {
  const __m128i codes = _mm_insert_epi32(_mm_cvtsi32_si128(group), other, 1);
  return Overflows(SumPairs(ZeroExtended(codes))) == 0;
}

inline bool FitWithin(int32_t group, int32_t other, const float* reach) {
  if (Fit(group, other)) return true;
  if (reach == nullptr) return false;
  const __m128i codes = _mm_insert_epi32(_mm_cvtsi32_si128(group), other, 1);
  return OverflowsWithin(codes, _mm_load_ss(reach)) == 0;
}

// Takes half of each code out of a group: neither half can overflow by itself.
inline int32_t TakeHalf(int32_t& group) {
  const __m128i codes = _mm_cvtsi32_si128(group);
  const __m128i magnitudes = _mm_and_si128(_mm_srli_epi16(_mm_abs_epi8(codes), 1), _mm_set1_epi8(127));
  const __m128i half = _mm_sign_epi8(magnitudes, codes);
  group = _mm_cvtsi128_si32(_mm_sub_epi8(codes, half));
  return _mm_cvtsi128_si32(half);
}

// Puts groups that were taken out into steps of two, as far as they fit together.
class StepWriter {
 public:
  explicit StepWriter(ExcessStep* steps) : steps_(steps) {}

  void Add(int group, int32_t codes) {
    const uint32_t offset = static_cast<uint32_t>(group) * kGroupBytes;
    if (is_waiting_ && Fit(codes, waiting_codes_)) {
      steps_[count_++] = {{waiting_codes_, codes}, {waiting_offset_, offset}, 0};
      is_waiting_ = false;
    } else if (is_waiting_) {
      steps_[count_++] = {{codes, 0}, {offset, offset}, 0};
    } else {
      waiting_offset_ = offset;
      waiting_codes_ = codes;
      is_waiting_ = true;
    }
  }

  int Finish() {
    if (is_waiting_) steps_[count_++] = {{waiting_codes_, 0}, {waiting_offset_, waiting_offset_}, 0};
    return count_;
  }

 private:
  ExcessStep* steps_;
  int count_ = 0;
  bool is_waiting_ = false;
  uint32_t waiting_offset_ = 0;
  int32_t waiting_codes_ = 0;
};

inline int32_t* GroupAt(int8_t* codes, int group) { return reinterpret_cast<int32_t*>(codes + group * 4); }

int Split(int8_t* codes, int n, int first_group, const float* reach, ExcessStep* steps) {
  StepWriter writer(steps);
  for (int k = 0; k < n; k += 32) {
    int8_t* here = codes + k;
    const __m256i v = n - k >= 32 ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(here))
                                  : ZeroExtended(_mm_loadu_si128(reinterpret_cast<const __m128i*>(here)));
    const PairSums sums = SumPairs(v);
    int overflowing = Overflows(sums);
    if (overflowing == 0) continue;
    const float* reach_here = reach == nullptr ? nullptr : reach + k / kStepColumns;
    if (reach != nullptr) {
      const __m128 reaches = _mm_loadu_ps(reach_here);
      overflowing &= OverflowsWithin(_mm256_castsi256_si128(v), reaches) |
                     OverflowsWithin(_mm256_extracti128_si256(v, 1), _mm_movehl_ps(reaches, reaches)) << 2;
      if (overflowing == 0) continue;
    }
    // The largest sum of each group, in the lower half of its 32 bits.
    alignas(32) uint16_t most[16];
    const __m256i larger = _mm256_max_epi16(sums.positive, sums.negative);
    _mm256_store_si256(reinterpret_cast<__m256i*>(most), _mm256_max_epi16(larger, _mm256_srli_epi32(larger, 16)));
    for (int pair = 0; overflowing != 0; pair++, overflowing >>= 1) {
      if ((overflowing & 1) == 0) continue;
      const int large = 2 * pair + (most[pair * 4] < most[pair * 4 + 2] ? 1 : 0);
      const int small = large ^ 1;
      const int number = first_group + k / 4;
      int32_t* large_codes = GroupAt(here, large);
      int32_t* small_codes = GroupAt(here, small);
      const float* reach_of_pair = reach == nullptr ? nullptr : reach_here + pair;
      writer.Add(number + large, TakeHalf(*large_codes));
      if (FitWithin(*large_codes, *small_codes, reach_of_pair)) continue;
      writer.Add(number + small, TakeHalf(*small_codes));
      if (FitWithin(*large_codes, *small_codes, reach_of_pair)) continue;
      writer.Add(number + small, *small_codes);
      *small_codes = 0;
    }
  }
  return writer.Finish();
}

// Squares of the four codes of each output in a group, the first two and the last two added.
inline void SquarePairs(const uint8_t* group, __m256i* pairs) {
  const __m128i flip = _mm_set1_epi8(-128);
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(group + 16 * i));
    const __m256i codes = _mm256_cvtepi8_epi16(_mm_xor_si128(bytes, flip));
    pairs[i] = _mm256_add_epi32(pairs[i], _mm256_madd_epi16(codes, codes));
  }
}

void Reach(const uint8_t* panel, int k_groups, int32_t* most) {
  for (int group = 0; group < k_groups; group += 2) {
    __m256i pairs[4] = {};
    SquarePairs(panel + static_cast<size_t>(group) * kGroupBytes, pairs);
    if (group + 1 < k_groups) SquarePairs(panel + static_cast<size_t>(group + 1) * kGroupBytes, pairs);
    const __m256i eight = _mm256_max_epi32(_mm256_max_epi32(pairs[0], pairs[1]), _mm256_max_epi32(pairs[2], pairs[3]));
    __m128i four = _mm_max_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4E));
    const int largest = _mm_cvtsi128_si32(_mm_max_epi32(four, _mm_shuffle_epi32(four, 0xB1)));
    if (largest > most[group / 2]) most[group / 2] = largest;
  }
}

}  // namespace

extern const Int8GemmKernel kInt8GemmAvx2 = {
    "qd8_f32_qc8w_gemm_4x16_avx2", kRowsMost, kColumns, 4, 0x80, 128, Run, nullptr, Split, Reach};

}  // namespace lacos
