// The kernel sets that this library knows, best first. Built or not is decided here and nowhere else.
#ifndef LACOS_KERNEL_SETS_H_
#define LACOS_KERNEL_SETS_H_

#include "kernel.h"
#include "training_kernels.h"

namespace lacos {

extern const Int8GemmKernel kInt8GemmScalar;
extern const Int8GemmKernel kInt8GemmAvx2;
extern const Int8GemmKernel kInt8GemmAvxVnni;
extern const Int8GemmKernel kInt8GemmAvx512Vnni;
extern const Int8GemmKernel kInt8GemmAmx;
extern const Int8GemmKernel kInt8GemmNeon;
extern const Int8GemmKernel kInt8GemmNeonDot;
extern const Int8GemmKernel kInt8GemmNeonI8mm;
extern const FloatGemmKernel kFloatGemmScalar;
extern const FloatGemmKernel kFloatGemmAvx2;
extern const FloatGemmKernel kFloatGemmAvx512;
extern const FloatGemmKernel kFloatGemmNeon;
extern const VectorKernels kVectorScalar;
extern const VectorKernels kVectorAvx2;
extern const VectorKernels kVectorAvx512;
extern const VectorKernels kVectorNeon;

extern const TrainingKernels kTrainingScalar;
extern const TrainingKernels kTrainingAvx2;
extern const TrainingKernels kTrainingAvx512;
extern const TrainingKernels kTrainingNeon;

extern const KernelSet kKernelSets[];
extern const int kKernelSetCount;

}  // namespace lacos

#endif  // LACOS_KERNEL_SETS_H_
