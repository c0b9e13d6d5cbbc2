// The AMX tiles and instructions that the kernels use, as plain loops over eight arrays. What the CPU would refuse with
// a fault ends the program with a sentence.
#ifndef LACOS_EMULATED_AMX_TILES_H_
#define LACOS_EMULATED_AMX_TILES_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct EmulatedTiles {
  bool shaped = false;
  uint16_t row_bytes[8] = {};
  uint8_t rows[8] = {};
  uint8_t data[8][16][64] = {};
};

thread_local EmulatedTiles emulated_tiles;

inline void RequireOfTiles(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "AMX would fault: %s\n", what);
  std::abort();
}

inline void EmulatedLoadConfig(const void* shapes) {
  const uint8_t* bytes = static_cast<const uint8_t*>(shapes);
  RequireOfTiles(bytes[0] == 1, "the palette is not 1");
  EmulatedTiles& tiles = emulated_tiles;
  tiles = EmulatedTiles{};
  tiles.shaped = true;
  std::memcpy(tiles.row_bytes, bytes + 16, sizeof tiles.row_bytes);
  std::memcpy(tiles.rows, bytes + 48, sizeof tiles.rows);
  for (int i = 0; i < 8; i++) RequireOfTiles(tiles.row_bytes[i] <= 64 && tiles.rows[i] <= 16, "a tile is too large");
}

inline void EmulatedRelease() { emulated_tiles = EmulatedTiles{}; }

inline void EmulatedZero(int tile) {
  RequireOfTiles(emulated_tiles.shaped, "tiles have no shapes");
  std::memset(emulated_tiles.data[tile], 0, sizeof emulated_tiles.data[tile]);
}

inline void EmulatedLoadTile(int tile, const void* from, size_t stride) {
  EmulatedZero(tile);
  EmulatedTiles& tiles = emulated_tiles;
  for (int row = 0; row < tiles.rows[tile]; row++) {
    std::memcpy(tiles.data[tile][row], static_cast<const uint8_t*>(from) + stride * row, tiles.row_bytes[tile]);
  }
}

inline void EmulatedStoreTile(int tile, void* to, size_t stride) {
  const EmulatedTiles& tiles = emulated_tiles;
  RequireOfTiles(tiles.shaped, "tiles have no shapes");
  for (int row = 0; row < tiles.rows[tile]; row++) {
    std::memcpy(static_cast<uint8_t*>(to) + stride * row, tiles.data[tile][row], tiles.row_bytes[tile]);
  }
}

// c[m][n] += the four products of each group of a[m] and b[., n], signed by signed.
inline void EmulatedProduct(int c, int a, int b) {
  EmulatedTiles& tiles = emulated_tiles;
  RequireOfTiles(tiles.shaped, "tiles have no shapes");
  RequireOfTiles(tiles.rows[c] == tiles.rows[a] && tiles.row_bytes[c] == tiles.row_bytes[b],
                 "the sums have another shape");
  RequireOfTiles(tiles.row_bytes[a] == tiles.rows[b] * 4, "rows and weights have another depth");
  for (int m = 0; m < tiles.rows[c]; m++) {
    uint32_t sums[16];
    std::memcpy(sums, tiles.data[c][m], sizeof sums);
    for (int group = 0; group < tiles.rows[b]; group++) {
      const uint8_t* x = tiles.data[a][m] + group * 4;
      const uint8_t* w = tiles.data[b][group];
      for (int n = 0; n < tiles.row_bytes[c] / 4; n++) {
        int32_t sum = 0;
        for (int k = 0; k < 4; k++) sum += static_cast<int8_t>(x[k]) * static_cast<int8_t>(w[n * 4 + k]);
        sums[n] += static_cast<uint32_t>(sum);
      }
    }
    std::memcpy(tiles.data[c][m], sums, tiles.row_bytes[c]);
  }
}

}  // namespace

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbssd
#define _tile_loadconfig EmulatedLoadConfig
#define _tile_release EmulatedRelease
#define _tile_zero EmulatedZero
#define _tile_loadd EmulatedLoadTile
#define _tile_stored EmulatedStoreTile
#define _tile_dpbssd EmulatedProduct

#endif  // LACOS_EMULATED_AMX_TILES_H_
