#include "kernel_sets.h"

#include "cpu_features.h"

namespace lacos {

#if defined(LACOS_BUILD_X86)
#define LACOS_X86_SET(gemm, f32, vector, training) true, &gemm, &f32, &vector, &training
#else
#define LACOS_X86_SET(gemm, f32, vector, training) false, nullptr, nullptr, nullptr, nullptr
#endif
#if defined(LACOS_BUILD_X86) && defined(LACOS_BUILD_AVXVNNI)
#define LACOS_AVXVNNI_SET(gemm, f32, vector, training) true, &gemm, &f32, &vector, &training
#else
#define LACOS_AVXVNNI_SET(gemm, f32, vector, training) false, nullptr, nullptr, nullptr, nullptr
#endif
#if defined(LACOS_BUILD_X86) && defined(LACOS_BUILD_AMX)
#define LACOS_AMX_SET(gemm, f32, vector, training) true, &gemm, &f32, &vector, &training
#else
#define LACOS_AMX_SET(gemm, f32, vector, training) false, nullptr, nullptr, nullptr, nullptr
#endif
#if defined(LACOS_BUILD_NEON)
#define LACOS_NEON_SET(gemm) true, &gemm, &kFloatGemmNeon, &kVectorNeon, &kTrainingNeon
#else
#define LACOS_NEON_SET(gemm) false, nullptr, nullptr, nullptr, nullptr
#endif

const KernelSet kKernelSets[] = {
    {"amx", "tdpbssd on tiles of 16 rows x 64 bytes, tile 32 x 32", kAmxInt8 | kAvx512Vnni | kAvx512 | kAvx2 | kFma,
     LACOS_AMX_SET(kInt8GemmAmx, kFloatGemmAvx512, kVectorAvx512, kTrainingAvx512)},
    {"avx512vnni", "512-bit vpdpbusd on unsigned-shifted weights, tile 6 x 64", kAvx512Vnni | kAvx512 | kAvx2 | kFma,
     LACOS_X86_SET(kInt8GemmAvx512Vnni, kFloatGemmAvx512, kVectorAvx512, kTrainingAvx512)},
    {"avxvnni", "256-bit vpdpbusd on unsigned-shifted weights, tile 6 x 16", kAvxVnni | kAvx2 | kFma,
     LACOS_AVXVNNI_SET(kInt8GemmAvxVnni, kFloatGemmAvx2, kVectorAvx2, kTrainingAvx2)},
    {"avx2", "vpmaddubsw on rows split so that 16-bit sums are exact, tile 4 x 16", kAvx2 | kFma,
     LACOS_X86_SET(kInt8GemmAvx2, kFloatGemmAvx2, kVectorAvx2, kTrainingAvx2)},
    {"neoni8mm", "smmla on pairs of rows and of columns, tile 6 x 16", kNeon | kNeonDot | kNeonI8mm,
     LACOS_NEON_SET(kInt8GemmNeonI8mm)},
    {"neondot", "sdot by lanes, tile 6 x 16", kNeon | kNeonDot, LACOS_NEON_SET(kInt8GemmNeonDot)},
    {"neon", "smull and smlal, added in pairs by sadalp, tile 4 x 16", kNeon, LACOS_NEON_SET(kInt8GemmNeon)},
    {"scalar", "plain C++, the reference", 0, true, &kInt8GemmScalar, &kFloatGemmScalar, &kVectorScalar,
     &kTrainingScalar},
};
const int kKernelSetCount = sizeof kKernelSets / sizeof kKernelSets[0];

}  // namespace lacos
