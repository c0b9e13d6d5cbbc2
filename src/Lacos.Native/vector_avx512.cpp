// Row operations, compiled for this instruction set.
// clang-format off
#include "simd_avx512.h"
#include "vector_body.h"
#include "training_body.h"
// clang-format on

namespace lacos {

extern const VectorKernels kVectorAvx512 = {"vector_avx512", LayerNorm, Quantize, FinishTile,
                                            Softmax,         Scale,     Transpose};

extern const TrainingKernels kTrainingAvx512 = {Drop, AddKept, GeluRow,  GeluBackward,   LayerNormBackward,
                                                Pack, Unpack,  Multiply, SoftmaxBackward};

}  // namespace lacos
