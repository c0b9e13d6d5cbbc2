// Tells the library that this CPU has everything that is emulated, where it has what the emulation is compiled for.
#define DetectCpuFeatures DetectCpuFeaturesOfHardware
#include "../../../src/Lacos.Native/cpu_features.cpp"
#undef DetectCpuFeatures

namespace lacos {

uint32_t DetectCpuFeatures() {
  constexpr uint32_t needed = kAvx2 | kFma;
  const uint32_t features = DetectCpuFeaturesOfHardware();
  constexpr uint32_t emulated = kAvxVnni | kAvx512 | kAvx512Vnni | kAmxInt8 | kNeon | kNeonDot | kNeonI8mm;
  return (features & needed) == needed ? features | emulated : features;
}

}  // namespace lacos
