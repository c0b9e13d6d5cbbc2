// fp32 tile, compiled for this instruction set.
// clang-format off
#include "simd_avx2.h"
#include "float_gemm_body.h"
// clang-format on

namespace lacos {

extern const FloatGemmKernel kFloatGemmAvx2 = {"f32_gemm_6x16_avx2", kRowsMost, 16, kLanes, RunTile<2>};

}  // namespace lacos
