// fp32 tile, compiled for this instruction set.
// clang-format off
#include "simd_avx512.h"
#include "float_gemm_body.h"
// clang-format on

namespace lacos {

extern const FloatGemmKernel kFloatGemmAvx512 = {"f32_gemm_6x64_avx512", kRowsMost, 64, kLanes, RunTile<4>};

}  // namespace lacos
