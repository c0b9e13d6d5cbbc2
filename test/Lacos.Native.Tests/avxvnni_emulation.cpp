// The AVX-VNNI kernel with its one instruction in the encoding that AVX512-VNNI machines have: the same arithmetic, so
// that its loops can be tested on CPUs without AVX-VNNI.
#define _mm256_dpbusd_avx_epi32 _mm256_dpbusd_epi32
#define kInt8GemmAvxVnni kInt8GemmAvxVnniEmulated
namespace lacos {
struct Int8GemmKernel;
extern const Int8GemmKernel kInt8GemmAvxVnniEmulated;
}  // namespace lacos
#include "../../src/Lacos.Native/qd8_f32_qc8w_gemm_6x16_avxvnni.cpp"
