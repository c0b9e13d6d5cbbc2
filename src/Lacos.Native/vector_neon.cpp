// Row operations, compiled for this instruction set.
// clang-format off
#include "simd_neon.h"
#include "vector_body.h"
#include "training_body.h"
// clang-format on

namespace lacos {

extern const VectorKernels kVectorNeon = {"vector_neon", LayerNorm, Quantize, FinishTile, Softmax, Scale, Transpose};

extern const TrainingKernels kTrainingNeon = {Drop, AddKept, GeluRow,  GeluBackward,   LayerNormBackward,
                                              Pack, Unpack,  Multiply, SoftmaxBackward};

}  // namespace lacos
