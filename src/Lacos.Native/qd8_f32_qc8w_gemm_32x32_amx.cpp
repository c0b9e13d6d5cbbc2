// int8 rows x int8 weights on AMX. tdpbssd multiplies tiles of 16 rows x 64 bytes by tiles of 64 x 16 bytes, signed by
// signed and exact. Two tiles of rows by two of columns are the four accumulators that hide its latency; where there is
// one tile of rows, even and odd blocks of k have accumulators of their own. A few rows do not fill a tile and run at
// the speed of memory; vpdpbusd on the same panel takes them, with weights shifted to unsigned as they are read.
#include <immintrin.h>

#include "kernel_sets.h"

namespace lacos {
namespace {

constexpr int kTileRows = 16;
constexpr int kTileBytes = 64;
constexpr int kColumns = 32;
constexpr int kGroup = 4;
constexpr int kGroupsAtOnce = kTileBytes / kGroup;
constexpr size_t kGroupBytes = static_cast<size_t>(kColumns) * kGroup;
constexpr size_t kBlockBytes = kGroupBytes * kGroupsAtOnce;
constexpr size_t kSumBytes = kColumns * sizeof(int32_t);

// What ldtilecfg reads: palette 1, then bytes a row and rows of each tile.
struct alignas(64) TileShapes {
  uint8_t palette;
  uint8_t start_row;
  uint8_t reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
};

// Rows that this thread's tiles are shaped for; 0 without shapes. Setting them takes about as long as twelve products,
// so they stay from one call to the next, until Release.
thread_local int shaped_rows = 0;

// Tiles 0..3 are sums (rows 0.. of columns 0.., of columns 16..; then rows 16.. likewise), 4 and 5 rows, 6 and 7
// weights.
void Shape(int rows) {
  TileShapes shapes = {};
  shapes.palette = 1;
  const int upper = rows < kTileRows ? rows : kTileRows;
  const int lower = rows > kTileRows ? rows - kTileRows : upper;
  for (int tile = 0; tile < 8; tile++) {
    const bool is_lower = tile == 2 || tile == 3 || tile == 5;
    shapes.row_bytes[tile] = kTileBytes;
    shapes.rows[tile] = static_cast<uint8_t>(tile >= 6 ? kGroupsAtOnce : is_lower ? lower : upper);
  }
  _tile_loadconfig(&shapes);
  shaped_rows = rows;
}

// The last k_groups % 16 groups, with zeros up to a whole tile: behind them lie another row's codes and another panel.
struct alignas(64) Rest {
  uint8_t a[2 * kTileRows][kTileBytes];
  uint8_t b[kBlockBytes];
};

void CopyRest(const Int8Tile& t, int first_group, Rest& rest) {
  const int bytes = (t.k_groups - first_group) * kGroup;
  for (int row = 0; row < t.rows; row++) {
    const uint8_t* from = static_cast<const uint8_t*>(t.a) + row * t.a_stride + first_group * kGroup;
    for (int i = 0; i < kTileBytes; i++) rest.a[row][i] = i < bytes ? from[i] : 0;
  }
  const uint8_t* from = t.b + first_group * kGroupBytes;
  const size_t filled = (t.k_groups - first_group) * kGroupBytes;
  for (size_t i = 0; i < kBlockBytes; i++) rest.b[i] = i < filled ? from[i] : 0;
}

void Prefetch(const char* ahead, int bytes) {
  for (int i = 0; i < bytes; i += 64) _mm_prefetch(ahead + i, _MM_HINT_T0);
}

// More than 16 rows.
void TallProduct(const uint8_t* upper, const uint8_t* lower, size_t a_stride, const uint8_t* b) {
  _tile_loadd(6, b, kGroupBytes);
  _tile_loadd(4, upper, a_stride);
  _tile_loadd(7, b + kTileBytes, kGroupBytes);
  _tile_loadd(5, lower, a_stride);
  _tile_dpbssd(0, 4, 6);
  _tile_dpbssd(1, 4, 7);
  _tile_dpbssd(2, 5, 6);
  _tile_dpbssd(3, 5, 7);
}

void Tall(const Int8Tile& t) {
  uint8_t* c = reinterpret_cast<uint8_t*>(t.c);
  uint8_t* lower_c = c + kTileRows * kSumBytes;
  if (t.accumulate) {
    _tile_loadd(0, c, kSumBytes);
    _tile_loadd(1, c + kTileBytes, kSumBytes);
    _tile_loadd(2, lower_c, kSumBytes);
    _tile_loadd(3, lower_c + kTileBytes, kSumBytes);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  const uint8_t* a = static_cast<const uint8_t*>(t.a);
  const uint8_t* lower = a + kTileRows * t.a_stride;
  const uint8_t* b = t.b;
  const char* ahead = reinterpret_cast<const char*>(t.ahead);
  const int ahead_bytes = t.ahead_bytes * kGroupsAtOnce;
  const int blocks = t.k_groups / kGroupsAtOnce;
  for (int block = 0; block < blocks; block++) {
    TallProduct(a, lower, t.a_stride, b);
    Prefetch(ahead, ahead_bytes);
    a += kTileBytes;
    lower += kTileBytes;
    b += kBlockBytes;
    ahead += ahead_bytes;
  }
  if (t.k_groups % kGroupsAtOnce != 0) {
    Rest rest;
    CopyRest(t, blocks * kGroupsAtOnce, rest);
    TallProduct(rest.a[0], rest.a[kTileRows], kTileBytes, rest.b);
  }
  _tile_stored(0, c, kSumBytes);
  _tile_stored(1, c + kTileBytes, kSumBytes);
  _tile_stored(2, lower_c, kSumBytes);
  _tile_stored(3, lower_c + kTileBytes, kSumBytes);
}

void EvenProduct(const uint8_t* a, size_t a_stride, const uint8_t* b) {
  _tile_loadd(6, b, kGroupBytes);
  _tile_loadd(4, a, a_stride);
  _tile_loadd(7, b + kTileBytes, kGroupBytes);
  _tile_dpbssd(0, 4, 6);
  _tile_dpbssd(1, 4, 7);
}

void OddProduct(const uint8_t* a, size_t a_stride, const uint8_t* b) {
  _tile_loadd(6, b, kGroupBytes);
  _tile_loadd(5, a, a_stride);
  _tile_loadd(7, b + kTileBytes, kGroupBytes);
  _tile_dpbssd(2, 5, 6);
  _tile_dpbssd(3, 5, 7);
}

// Up to 16 rows.
void Flat(const Int8Tile& t) {
  uint8_t* c = reinterpret_cast<uint8_t*>(t.c);
  if (t.accumulate) {
    _tile_loadd(0, c, kSumBytes);
    _tile_loadd(1, c + kTileBytes, kSumBytes);
  } else {
    _tile_zero(0);
    _tile_zero(1);
  }
  _tile_zero(2);
  _tile_zero(3);
  const uint8_t* a = static_cast<const uint8_t*>(t.a);
  const uint8_t* b = t.b;
  const char* ahead = reinterpret_cast<const char*>(t.ahead);
  const int ahead_bytes = t.ahead_bytes * kGroupsAtOnce;
  const int blocks = t.k_groups / kGroupsAtOnce;
  int block = 0;
  for (; block + 2 <= blocks; block += 2) {
    EvenProduct(a, t.a_stride, b);
    Prefetch(ahead, ahead_bytes);
    OddProduct(a + kTileBytes, t.a_stride, b + kBlockBytes);
    Prefetch(ahead + ahead_bytes, ahead_bytes);
    a += 2 * kTileBytes;
    b += 2 * kBlockBytes;
    ahead += 2 * ahead_bytes;
  }
  if (block < blocks) EvenProduct(a, t.a_stride, b);
  if (t.k_groups % kGroupsAtOnce != 0) {
    Rest rest;
    CopyRest(t, blocks * kGroupsAtOnce, rest);
    OddProduct(rest.a[0], kTileBytes, rest.b);
  }
  _tile_stored(0, c, kSumBytes);
  _tile_stored(1, c + kTileBytes, kSumBytes);
  alignas(64) int32_t odd[kTileRows * kColumns];
  _tile_stored(2, odd, kSumBytes);
  _tile_stored(3, odd + kColumns / 2, kSumBytes);
  for (int i = 0; i < t.rows * kColumns; i++) {
    t.c[i] = static_cast<int32_t>(static_cast<uint32_t>(t.c[i]) + static_cast<uint32_t>(odd[i]));
  }
}

constexpr int kFewRows = 4;

template <int kRows>
void Few(const Int8Tile& t) {
  const __m512i shift = _mm512_set1_epi8(static_cast<char>(0x80));
  const int8_t* a[kRows];
  __m512i left[kRows], right[kRows], excess[kRows];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; i++) {
    const int32_t* c = t.c + i * kColumns;
    a[i] = static_cast<const int8_t*>(t.a) + i * t.a_stride;
    left[i] = t.accumulate ? _mm512_loadu_si512(c) : _mm512_setzero_si512();
    right[i] = t.accumulate ? _mm512_loadu_si512(c + 16) : _mm512_setzero_si512();
    excess[i] = _mm512_setzero_si512();
  }
  const uint8_t* b = t.b;
  const char* ahead = reinterpret_cast<const char*>(t.ahead);
  const size_t ahead_step = static_cast<size_t>(t.ahead_bytes);
  const size_t end = static_cast<size_t>(t.k_groups) * kGroup;
  for (size_t k = 0; k < end; k += kGroup) {
    const __m512i first = _mm512_xor_si512(_mm512_loadu_si512(b), shift);
    const __m512i second = _mm512_xor_si512(_mm512_loadu_si512(b + kTileBytes), shift);
    _mm_prefetch(ahead, _MM_HINT_T0);
    _mm_prefetch(ahead + ahead_step / 2, _MM_HINT_T0);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; i++) {
      const __m512i x = _mm512_set1_epi32(*reinterpret_cast<const int32_t*>(a[i] + k));
      left[i] = _mm512_dpbusd_epi32(left[i], first, x);
      right[i] = _mm512_dpbusd_epi32(right[i], second, x);
      excess[i] = _mm512_dpbusd_epi32(excess[i], shift, x);
    }
    b += kGroupBytes;
    ahead += ahead_step;
  }
#pragma GCC unroll 4
  for (int i = 0; i < kRows; i++) {
    int32_t* c = t.c + i * kColumns;
    _mm512_storeu_si512(c, _mm512_sub_epi32(left[i], excess[i]));
    _mm512_storeu_si512(c + 16, _mm512_sub_epi32(right[i], excess[i]));
  }
}

bool TakesFew(const Int8Tile& t) {
  switch (t.rows) {
    case 1:
      Few<1>(t);
      return true;
    case 2:
      Few<2>(t);
      return true;
    case 3:
      Few<3>(t);
      return true;
    case kFewRows:
      Few<kFewRows>(t);
      return true;
    default:
      return false;
  }
}

void Run(const Int8Tile& t) {
  if (TakesFew(t)) return;
  if (t.rows != shaped_rows) Shape(t.rows);
  if (t.rows > kTileRows) {
    Tall(t);
  } else {
    Flat(t);
  }
}

void Release() {
  if (shaped_rows == 0) return;
  _tile_release();
  shaped_rows = 0;
}

}  // namespace

extern const Int8GemmKernel kInt8GemmAmx = {
    "qd8_f32_qc8w_gemm_32x32_amx", 2 * kTileRows, kColumns, kGroup, 0, 0, Run, Release};

}  // namespace lacos
