// The AMX kernel with its instructions replaced by plain loops over eight arrays: the same tiles, shapes and sums, so that
// its loops can be tested on CPUs without AMX.
#include <immintrin.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace lacos {
namespace {

struct EmulatedTiles {
  bool shaped = false;
  uint16_t row_bytes[8] = {};
  uint8_t rows[8] = {};
  uint8_t data[8][16][64] = {};
};

thread_local EmulatedTiles tiles;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "AMX would fault: %s\n", what);
  std::abort();
}

void LoadConfig(const void* shapes) {
  const uint8_t* bytes = static_cast<const uint8_t*>(shapes);
  Require(bytes[0] == 1, "the palette is not 1");
  tiles = EmulatedTiles{};
  tiles.shaped = true;
  std::memcpy(tiles.row_bytes, bytes + 16, sizeof tiles.row_bytes);
  std::memcpy(tiles.rows, bytes + 48, sizeof tiles.rows);
  for (int i = 0; i < 8; i++) Require(tiles.row_bytes[i] <= 64 && tiles.rows[i] <= 16, "a tile is too large");
}

void ReleaseTiles() { tiles = EmulatedTiles{}; }

void Zero(int tile) {
  Require(tiles.shaped, "tiles have no shapes");
  std::memset(tiles.data[tile], 0, sizeof tiles.data[tile]);
}

void Load(int tile, const void* from, size_t stride) {
  Zero(tile);
  for (int row = 0; row < tiles.rows[tile]; row++) {
    std::memcpy(tiles.data[tile][row], static_cast<const uint8_t*>(from) + stride * row, tiles.row_bytes[tile]);
  }
}

void Store(int tile, void* to, size_t stride) {
  Require(tiles.shaped, "tiles have no shapes");
  for (int row = 0; row < tiles.rows[tile]; row++) {
    std::memcpy(static_cast<uint8_t*>(to) + stride * row, tiles.data[tile][row], tiles.row_bytes[tile]);
  }
}

// c[m][n] += the four products of each group of a[m] and b[., n], signed by signed.
void Product(int c, int a, int b) {
  Require(tiles.shaped, "tiles have no shapes");
  Require(tiles.rows[c] == tiles.rows[a] && tiles.row_bytes[c] == tiles.row_bytes[b], "the sums have another shape");
  Require(tiles.row_bytes[a] == tiles.rows[b] * 4, "rows and weights have another depth");
  for (int m = 0; m < tiles.rows[c]; m++) {
    for (int n = 0; n < tiles.row_bytes[c] / 4; n++) {
      uint32_t sum;
      std::memcpy(&sum, &tiles.data[c][m][n * 4], 4);
      for (int k = 0; k < tiles.row_bytes[a]; k++) {
        const int x = static_cast<int8_t>(tiles.data[a][m][k]);
        const int w = static_cast<int8_t>(tiles.data[b][k / 4][n * 4 + k % 4]);
        sum += static_cast<uint32_t>(x * w);
      }
      std::memcpy(&tiles.data[c][m][n * 4], &sum, 4);
    }
  }
}

}  // namespace
}  // namespace lacos

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbssd
#define _tile_loadconfig LoadConfig
#define _tile_release ReleaseTiles
#define _tile_zero Zero
#define _tile_loadd Load
#define _tile_stored Store
#define _tile_dpbssd Product
#define LACOS_EMULATED_AMX  // its loop for a few rows has no tiles in it, and needs AVX-512
#define kInt8GemmAmx kInt8GemmAmxEmulated
namespace lacos {
struct Int8GemmKernel;
extern const Int8GemmKernel kInt8GemmAmxEmulated;
}  // namespace lacos
#include "../../src/Lacos.Native/qd8_f32_qc8w_gemm_32x32_amx.cpp"
