// Row operations, compiled for this instruction set.
// clang-format off
#include "simd_avx512.h"
#include "vector_body.h"
// clang-format on

namespace lacos {

extern const VectorKernels kVectorAvx512 = {"vector_avx512", LayerNorm, Quantize, FinishTile, Softmax, Scale};

}  // namespace lacos
