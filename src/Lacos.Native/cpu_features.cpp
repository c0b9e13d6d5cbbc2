#include "cpu_features.h"

#include <cstring>

#if defined(__x86_64__) || defined(_M_X64)
#define LACOS_X86 1
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif defined(__aarch64__)
#define LACOS_ARM64 1
#if defined(__linux__)
#include <sys/auxv.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif
#endif

namespace lacos {
namespace {

#if defined(LACOS_X86)
struct Registers {
  uint32_t eax, ebx, ecx, edx;
};

Registers Cpuid(uint32_t leaf, uint32_t subleaf) {
#if defined(_MSC_VER)
  int r[4];
  __cpuidex(r, static_cast<int>(leaf), static_cast<int>(subleaf));
  return {static_cast<uint32_t>(r[0]), static_cast<uint32_t>(r[1]), static_cast<uint32_t>(r[2]),
          static_cast<uint32_t>(r[3])};
#else
  Registers r{};
  __cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
  return r;
#endif
}

uint64_t Xcr0() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
#endif
}

// Linux gives a process the tiles' registers only when it asks, because every thread's saved state grows by 8 KiB.
bool SystemGrantsTiles() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

bool Bit(uint32_t value, int bit) { return (value >> bit & 1u) != 0; }
#endif

#if defined(LACOS_ARM64)
#if defined(__APPLE__)
bool SystemSays(const char* name) {
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
}
#endif

uint32_t DetectArmFeatures() {
  uint32_t features = kNeon;
#if defined(__linux__)
  constexpr unsigned long kHwcapDotProd = 1ul << 20;
  constexpr unsigned long kHwcap2I8mm = 1ul << 13;
  if ((getauxval(AT_HWCAP) & kHwcapDotProd) != 0) features |= kNeonDot;
  if ((getauxval(AT_HWCAP2) & kHwcap2I8mm) != 0) features |= kNeonI8mm;
#elif defined(__APPLE__)
  if (SystemSays("hw.optional.arm.FEAT_DotProd")) features |= kNeonDot;
  if (SystemSays("hw.optional.arm.FEAT_I8MM")) features |= kNeonI8mm;
#endif
  return features;
}
#endif

struct Name {
  CpuFeature feature;
  const char* text;
};
constexpr Name kNames[] = {{kAvx2, "avx2"},
                           {kFma, "fma"},
                           {kAvxVnni, "avxvnni"},
                           {kAvx512, "avx512f-bw-dq-vl"},
                           {kAvx512Vnni, "avx512vnni"},
                           {kAmxInt8, "amx-int8"},
                           {kNeon, "neon"},
                           {kNeonDot, "neon-dotprod"},
                           {kNeonI8mm, "neon-i8mm"}};

}  // namespace

uint32_t DetectCpuFeatures() {
  uint32_t features = 0;
#if defined(LACOS_X86)
  const uint32_t last = Cpuid(0, 0).eax;
  if (last < 7) return 0;
  const Registers one = Cpuid(1, 0);
  if (!Bit(one.ecx, 27)) return 0;  // OSXSAVE: without it XCR0 cannot be read
  const uint64_t xcr0 = Xcr0();
  const bool ymm = (xcr0 & 0x6) == 0x6;
  const bool zmm = (xcr0 & 0xe6) == 0xe6;
  const bool tile = (xcr0 & 0x60000) == 0x60000;
  const Registers seven = Cpuid(7, 0);
  const Registers seven_one = seven.eax >= 1 ? Cpuid(7, 1) : Registers{};
  if (ymm && Bit(one.ecx, 28) && Bit(seven.ebx, 5)) features |= kAvx2;
  if (ymm && Bit(one.ecx, 12)) features |= kFma;
  if (ymm && Bit(seven_one.eax, 4)) features |= kAvxVnni;
  const bool avx512 = Bit(seven.ebx, 16) && Bit(seven.ebx, 17) && Bit(seven.ebx, 30) && Bit(seven.ebx, 31);
  if (zmm && avx512) features |= kAvx512;
  if (zmm && avx512 && Bit(seven.ecx, 11)) features |= kAvx512Vnni;
  if (tile && Bit(seven.edx, 24) && Bit(seven.edx, 25) && SystemGrantsTiles()) features |= kAmxInt8;
#elif defined(LACOS_ARM64)
  features = DetectArmFeatures();
#endif
  return features;
}

std::string CpuFeatureNames(uint32_t features) {
  std::string names;
  for (const Name& name : kNames) {
    if ((features & name.feature) == 0) continue;
    if (!names.empty()) names += ' ';
    names += name.text;
  }
  return names;
}

std::string DetectCpuName() {
#if defined(LACOS_X86)
  if (Cpuid(0x80000000u, 0).eax >= 0x80000004u) {
    char brand[49] = {};
    for (uint32_t i = 0; i < 3; i++) {
      const Registers r = Cpuid(0x80000002u + i, 0);
      std::memcpy(brand + 16 * i, &r, 16);
    }
    std::string name(brand);
    while (!name.empty() && name.back() == ' ') name.pop_back();
    const size_t first = name.find_first_not_of(' ');
    return first == std::string::npos ? "x86-64" : name.substr(first);
  }
  return "x86-64";
#elif defined(LACOS_ARM64) && defined(__APPLE__)
  char brand[64] = {};
  size_t size = sizeof brand - 1;
  return sysctlbyname("machdep.cpu.brand_string", brand, &size, nullptr, 0) == 0 && *brand != '\0' ? brand : "arm64";
#elif defined(__aarch64__) || defined(_M_ARM64)
  return "arm64";
#else
  return "unknown";
#endif
}

}  // namespace lacos
