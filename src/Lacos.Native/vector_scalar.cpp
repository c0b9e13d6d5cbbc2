// Row operations, compiled for this instruction set.
// clang-format off
#include "simd_scalar.h"
#include "vector_body.h"
#include "training_body.h"
// clang-format on

namespace lacos {

extern const VectorKernels kVectorScalar = {"vector_scalar", LayerNorm, Quantize, FinishTile,
                                            Softmax,         Scale,     Transpose};

extern const TrainingKernels kTrainingScalar = {Drop, AddKept, GeluRow,  GeluBackward,   LayerNormBackward,
                                                Pack, Unpack,  Multiply, SoftmaxBackward};

}  // namespace lacos
