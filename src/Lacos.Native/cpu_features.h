// Which instructions this CPU has and this operating system lets us use. Says nothing about what is built or faster.
#ifndef LACOS_CPU_FEATURES_H_
#define LACOS_CPU_FEATURES_H_

#include <cstdint>
#include <string>

namespace lacos {

enum CpuFeature : uint32_t {
  kAvx2 = 1u << 0,
  kFma = 1u << 1,
  kAvxVnni = 1u << 2,
  kAvx512 = 1u << 3,  // F, BW, DQ and VL together
  kAvx512Vnni = 1u << 4,
  kAmxInt8 = 1u << 5,
  kNeon = 1u << 6,      // every 64-bit ARM
  kNeonDot = 1u << 7,   // ARMv8.2 DotProd
  kNeonI8mm = 1u << 8,  // ARMv8.6 I8MM
};

// Bits of CpuFeature. A wide register counts only when XCR0 says that the system saves it.
uint32_t DetectCpuFeatures();

// Names of the set bits, separated by blanks.
std::string CpuFeatureNames(uint32_t features);

std::string DetectCpuName();

}  // namespace lacos

#endif  // LACOS_CPU_FEATURES_H_
