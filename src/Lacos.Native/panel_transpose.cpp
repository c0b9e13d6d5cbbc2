#include "panel_transpose.h"

#include <cstring>

#include "fetch_line.h"

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define LACOS_BASELINE_SSE2
#endif

namespace lacos {
namespace {

// The k_group x k_group bytes of neighbouring outputs and columns lie together on both sides; only they change places.
template <int kGroup>
void TransposeGroup(const uint8_t* from, uint8_t* to) {
  for (int output = 0; output < kGroup; output++) {
    for (int column = 0; column < kGroup; column++) to[column * kGroup + output] = from[output * kGroup + column];
  }
}

#if defined(LACOS_BASELINE_SSE2)
// SSE2 belongs to every x86-64: no file of its own, no detection. Interleaving the halves of 16 bytes twice transposes
// 4 x 4.
template <>
void TransposeGroup<4>(const uint8_t* from, uint8_t* to) {
  __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  x = _mm_unpacklo_epi8(x, _mm_srli_si128(x, 8));
  x = _mm_unpacklo_epi8(x, _mm_srli_si128(x, 8));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), x);
}
#endif

template <int kGroup>
void Transpose(int outputs, int column_groups, const uint8_t* panel, uint8_t* to) {
  const size_t stride = static_cast<size_t>(outputs) * kGroup;
  for (int group = 0; group < column_groups; group++) {
    const uint8_t* from = panel + stride * group;
    uint8_t* column = to + static_cast<size_t>(group) * kGroup * kGroup;
    for (int output = 0; output < outputs; output += kGroup) {
      TransposeGroup<kGroup>(from + static_cast<size_t>(output) * kGroup, column + stride * (output / kGroup));
    }
  }
}

}  // namespace

void TransposePanel(const Int8GemmKernel& kernel, const uint8_t* panel, int columns, uint8_t* to) {
  const int groups = columns / kernel.k_group;
  if (columns < kernel.columns) {
    std::memset(to, kernel.weight_xor, static_cast<size_t>(kernel.columns) * kernel.columns);
  }
  switch (kernel.k_group) {
    case 8:
      return Transpose<8>(kernel.columns, groups, panel, to);
    case 4:
      return Transpose<4>(kernel.columns, groups, panel, to);
    case 2:
      return Transpose<2>(kernel.columns, groups, panel, to);
    default:
      return Transpose<1>(kernel.columns, groups, panel, to);
  }
}

void FetchPanel(const Int8GemmKernel& kernel, const uint8_t* panel, int columns) {
  const int bytes = columns * kernel.columns;
  for (int i = 0; i < bytes; i += 64) FetchLine(panel + i);
}

}  // namespace lacos
