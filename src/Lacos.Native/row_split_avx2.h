// What qd8_f32_qc8w_gemm_4x16_avx2 asks of rows and of weights; as in Int8GemmKernel.
#ifndef LACOS_ROW_SPLIT_AVX2_H_
#define LACOS_ROW_SPLIT_AVX2_H_

#include "kernel.h"

namespace lacos {

// Bytes of a panel from one group of columns to the next: 16 outputs of four.
constexpr int kSplitGroupBytes = 64;

int SplitRowAvx2(int8_t* codes, int n, const uint16_t* reach, ExcessStep* steps);
void WeightReachAvx2(const uint8_t* panel, int k_groups, int32_t* most);

}  // namespace lacos

#endif  // LACOS_ROW_SPLIT_AVX2_H_
