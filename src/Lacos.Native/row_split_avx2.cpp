#include "row_split_avx2.h"

#include <immintrin.h>

namespace lacos {
namespace {

// A step is eight codes, two groups of four, in 64 bits. vpmaddubsw adds its codes 0 and 1, 2 and 3, 4 and 5, 6 and 7
// times their weights, and the kernel adds the first and the third of these sums, and the second and the fourth. With
// weights in 0..255, 16 bits hold whatever positive codes that sum to at most this make, and negative ones likewise.
constexpr int kSumMost = 128;

constexpr int kGroupsMost = kExcessStepsMost;

inline __m256i Load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
inline void Store(void* to, __m256i v) { _mm256_storeu_si256(static_cast<__m256i*>(to), v); }
inline __m256i Magnitudes(__m256i codes) { return _mm256_abs_epi8(codes); }
// Of every 64 bits, the other half.
inline __m256i OtherGroup(__m256i v) { return _mm256_shuffle_epi32(v, 0xB1); }
// Bit i: of 64 bits number i, the highest one.
inline int StepBits(__m256i v) { return _mm256_movemask_pd(_mm256_castsi256_pd(v)); }
inline int GroupBits(__m256i v) { return _mm256_movemask_ps(_mm256_castsi256_ps(v)); }
// All bits of every 64 in which any is set.
inline __m256i WholeSteps(__m256i v) {
  return _mm256_xor_si256(_mm256_cmpeq_epi64(v, _mm256_setzero_si256()), _mm256_set1_epi8(-1));
}

// Sums of neighbouring positive codes and of neighbouring negative ones, as magnitudes, in 16 bits.
struct PairSums {
  __m256i positive;
  __m256i negative;
};

inline PairSums SumPairs(__m256i codes) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i ones = _mm256_set1_epi8(1);
  const __m256i negative = _mm256_and_si256(Magnitudes(codes), _mm256_cmpgt_epi8(zero, codes));
  return {_mm256_maddubs_epi16(_mm256_max_epi8(codes, zero), ones), _mm256_maddubs_epi16(negative, ones)};
}

// The weights that 32 codes will meet: the reach of each of four steps, in all four places of its 64 bits.
class Reach {
 public:
  explicit Reach(const uint16_t* reach) : is_known_(reach != nullptr), everywhere_(_mm256_setzero_si256()) {
    if (!is_known_) return;
    const __m256i steps = _mm256_cvtepu16_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(reach)));
    everywhere_ = _mm256_shuffle_epi8(
        steps, _mm256_setr_epi64x(0x0100010001000100, 0x0908090809080908, 0x0100010001000100, 0x0908090809080908));
  }
  bool is_known() const { return is_known_; }
  __m256i everywhere() const { return everywhere_; }

 private:
  bool is_known_;
  __m256i everywhere_;
};

// Set where a sum of code * weight may leave 16 bits, for sums of codes (magnitudes) and of their squares: it is 128 *
// sum code and a rest that, by Cauchy and Schwarz, is at most |codes| * |weights|. Compared are squares in units of
// 2^16, all rounded to the safe side: reach * squares / 2^16 with (128 * (255 - sum))^2 / 2^16.
inline __m256i Beyond(__m256i sums, __m256i squares, const Reach& reach) {
  const __m256i room = _mm256_subs_epu16(_mm256_set1_epi16(255), sums);
  const __m256i square_room = _mm256_srli_epi16(_mm256_mullo_epi16(room, room), 2);
  const __m256i needed = _mm256_mulhi_epu16(squares, reach.everywhere());
  return _mm256_cmpeq_epi16(_mm256_subs_epu16(square_room, needed), _mm256_setzero_si256());
}

// All bits of every step set that the kernel could not add exactly.
inline __m256i Overflowing(__m256i codes, const PairSums& pairs, const Reach& reach) {
  const __m256i most = _mm256_set1_epi16(kSumMost);
  const __m256i positive = _mm256_add_epi16(pairs.positive, OtherGroup(pairs.positive));
  const __m256i negative = _mm256_add_epi16(pairs.negative, OtherGroup(pairs.negative));
  __m256i fours = _mm256_cmpgt_epi16(_mm256_max_epi16(positive, negative), most);
  __m256i twos = _mm256_cmpgt_epi16(_mm256_max_epi16(pairs.positive, pairs.negative), most);
  const __m256i either = _mm256_or_si256(fours, twos);
  if (_mm256_testz_si256(either, either) != 0) return either;
  if (reach.is_known()) {
    const __m256i magnitudes = Magnitudes(codes);
    // Four squares of 127 and less stay below 2^16.
    const __m256i squares = _mm256_maddubs_epi16(magnitudes, magnitudes);
    const __m256i sums = _mm256_abs_epi16(_mm256_sub_epi16(positive, negative));
    fours = _mm256_and_si256(fours, Beyond(sums, _mm256_add_epi16(squares, OtherGroup(squares)), reach));
    const __m256i pair_sums = _mm256_abs_epi16(_mm256_sub_epi16(pairs.positive, pairs.negative));
    twos = _mm256_and_si256(twos, Beyond(pair_sums, squares, reach));
  }
  return WholeSteps(_mm256_or_si256(fours, twos));
}

// Half of each code, rounded towards zero: no four of them can overflow by themselves.
inline __m256i Halves(__m256i codes) {
  const __m256i magnitudes = _mm256_and_si256(_mm256_srli_epi16(Magnitudes(codes), 1), _mm256_set1_epi8(127));
  return _mm256_sign_epi8(magnitudes, codes);
}

// The numbers of the set bits of a byte, lowest first.
struct BitNumbers {
  uint8_t of[256][8];
  constexpr BitNumbers() : of() {
    for (int byte = 0; byte < 256; byte++) {
      int count = 0;
      for (int bit = 0; bit < 8; bit++) {
        if ((byte >> bit & 1) != 0) of[byte][count++] = static_cast<uint8_t>(bit);
      }
    }
  }
};
constexpr BitNumbers kBitNumbers;

// Groups that were taken out, and where their weights lie.
class Taken {
 public:
  // Of eight groups, those of the set bits; first: the number of the first of the eight.
  void Add(__m256i groups, int bits, int first) {
    const __m128i numbers = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kBitNumbers.of[bits]));
    Store(codes_ + count_, _mm256_permutevar8x32_epi32(groups, _mm256_cvtepu8_epi32(numbers)));
    const __m128i places = _mm_add_epi16(_mm_cvtepu8_epi16(numbers), _mm_set1_epi16(static_cast<int16_t>(first)));
    static_assert(kSplitGroupBytes == 1 << 6, "a shift by 6");
    _mm_storeu_si128(reinterpret_cast<__m128i*>(offsets_ + count_), _mm_slli_epi16(places, 6));
    count_ += _mm_popcnt_u32(static_cast<unsigned>(bits));
  }

  // Steps of two groups each, where two fit together.
  int Write(ExcessStep* steps) {
    Store(codes_ + count_, _mm256_setzero_si256());
    offsets_[count_] = offsets_[count_ > 0 ? count_ - 1 : 0];
    int written = 0;
    for (int i = 0; i < count_; i += 8) {
      const __m256i codes = Load(codes_ + i);
      const int apart = StepBits(Overflowing(codes, SumPairs(codes), Reach(nullptr)));
      for (int j = i; j < i + 8 && j < count_; j += 2) {
        const bool is_apart = (apart >> ((j - i) / 2) & 1) != 0;
        steps[written++] = {{codes_[j], is_apart ? 0 : codes_[j + 1]}, {offsets_[j], offsets_[j + 1]}};
        if (is_apart) steps[written++] = {{codes_[j + 1], 0}, {offsets_[j + 1], offsets_[j + 1]}};
      }
    }
    return written;
  }

 private:
  int count_ = 0;
  alignas(32) int32_t codes_[kGroupsMost + 8];
  alignas(32) uint16_t offsets_[kGroupsMost + 8];
};

// Of 32 codes takes out what keeps steps from being added, and returns what is left: half of the larger group of each,
// then half of the smaller one, then all of that. The other's half can overflow by itself no more.
inline __m256i TakeOut(__m256i codes, const PairSums& pairs, __m256i overflowing, const Reach& reach, int first_group,
                       Taken& taken) {
  // The largest sum of each group, in 32 bits; of equal ones the first.
  const __m256i most = _mm256_max_epi16(pairs.positive, pairs.negative);
  const __m256i size = _mm256_and_si256(_mm256_max_epi16(most, _mm256_srli_epi32(most, 16)), _mm256_set1_epi32(0xffff));
  const __m256i even = _mm256_set1_epi64x(0xffffffff);
  const __m256i larger = _mm256_cmpgt_epi32(_mm256_sub_epi32(size, even), OtherGroup(size));
  const __m256i large = _mm256_and_si256(overflowing, larger);
  __m256i out = _mm256_and_si256(Halves(codes), large);
  taken.Add(out, GroupBits(large), first_group);
  codes = _mm256_sub_epi8(codes, out);
  for (int turn = 0; turn < 2; turn++) {
    overflowing = Overflowing(codes, SumPairs(codes), reach);
    const __m256i small = _mm256_andnot_si256(larger, overflowing);
    const int bits = GroupBits(small);
    if (bits == 0) break;
    out = _mm256_and_si256(turn == 0 ? Halves(codes) : codes, small);
    taken.Add(out, bits, first_group);
    codes = _mm256_sub_epi8(codes, out);
  }
  return codes;
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

}  // namespace

int SplitRowAvx2(int8_t* codes, int n, const uint16_t* reach, ExcessStep* steps) {
  Taken taken;
  for (int k = 0; k < n; k += 32) {
    int8_t* here = codes + k;
    const bool is_whole = n - k >= 32;
    const __m128i* half = reinterpret_cast<const __m128i*>(here);
    const __m256i v = is_whole ? Load(here) : _mm256_inserti128_si256(_mm256_setzero_si256(), _mm_loadu_si128(half), 0);
    const PairSums pairs = SumPairs(v);
    const Reach met(reach == nullptr ? nullptr : reach + k / kStepColumns);
    const __m256i overflowing = Overflowing(v, pairs, met);
    if (_mm256_testz_si256(overflowing, overflowing) != 0) continue;
    const __m256i left = TakeOut(v, pairs, overflowing, met, k / 4, taken);
    if (is_whole) {
      Store(here, left);
    } else {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(here), _mm256_castsi256_si128(left));
    }
  }
  return taken.Write(steps);
}

void WeightReachAvx2(const uint8_t* panel, int k_groups, int32_t* most) {
  for (int group = 0; group < k_groups; group += 2) {
    __m256i pairs[4] = {};
    SquarePairs(panel + static_cast<size_t>(group) * kSplitGroupBytes, pairs);
    if (group + 1 < k_groups) SquarePairs(panel + static_cast<size_t>(group + 1) * kSplitGroupBytes, pairs);
    const __m256i eight = _mm256_max_epi32(_mm256_max_epi32(pairs[0], pairs[1]), _mm256_max_epi32(pairs[2], pairs[3]));
    __m128i four = _mm_max_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4E));
    const int largest = _mm_cvtsi128_si32(_mm_max_epi32(four, _mm_shuffle_epi32(four, 0xB1)));
    if (largest > most[group / 2]) most[group / 2] = largest;
  }
}

}  // namespace lacos
