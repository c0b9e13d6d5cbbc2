// fp32 tile, compiled for this instruction set.
// clang-format off
#include "simd_neon.h"
#include "float_gemm_body.h"
// clang-format on

namespace lacos {

extern const FloatGemmKernel kFloatGemmNeon = {"f32_gemm_6x16_neon", kRowsMost, 16, kLanes, RunTile<2>};

}  // namespace lacos
