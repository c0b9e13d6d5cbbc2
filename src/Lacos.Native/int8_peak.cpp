#include "int8_peak.h"

#include <array>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "lacos_native.h"
#include "status.h"

namespace lacos {
namespace {

struct Loop {
  const char* isa;
  double operations;  // of one pass
  void (*pass)();     // 1000 rounds over independent accumulators, more of them than the instruction's latency needs
};

constexpr int kRounds = 1000;
constexpr int kTurns = 4;

#if defined(LACOS_BUILD_X86) && defined(__GNUC__)

#define LACOS_ASM(body)                                                                                         \
  for (int i = 0; i < kRounds; i++) {                                                                           \
    asm volatile(body ::                                                                                        \
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
                       "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");                                            \
  }                                                                                                             \
  asm volatile("vzeroupper")

// The upper sixteen registers hold the operands: code that is not compiled for AVX-512 leaves them alone.
#define LACOS_ZMM(r) "vpdpbusd %%zmm30, %%zmm31, %%zmm" #r "\n\t"
void Avx512Vnni() {
  LACOS_ASM(LACOS_ZMM(0) LACOS_ZMM(1) LACOS_ZMM(2) LACOS_ZMM(3) LACOS_ZMM(4) LACOS_ZMM(5) LACOS_ZMM(6) LACOS_ZMM(
      7) LACOS_ZMM(8) LACOS_ZMM(9) LACOS_ZMM(10) LACOS_ZMM(11) LACOS_ZMM(12) LACOS_ZMM(13) LACOS_ZMM(14) LACOS_ZMM(15));
}

#if defined(LACOS_BUILD_AVXVNNI)
#define LACOS_YMM(r) "%{vex%} vpdpbusd %%ymm14, %%ymm15, %%ymm" #r "\n\t"
void AvxVnni() {
  LACOS_ASM(LACOS_YMM(0) LACOS_YMM(1) LACOS_YMM(2) LACOS_YMM(3) LACOS_YMM(4) LACOS_YMM(5) LACOS_YMM(6) LACOS_YMM(7)
                LACOS_YMM(8) LACOS_YMM(9) LACOS_YMM(10) LACOS_YMM(11));
}
#endif

// Two vpmaddubsw, their sum in 16 bits, vpmaddwd and a sum in 32 bits: 64 multiply-adds in five instructions, as the
// kernel has them.
#define LACOS_BYTES(t) "vpmaddubsw %%ymm14, %%ymm15, %%ymm" #t "\n\t"
#define LACOS_WORDS(t, u) "vpaddw %%ymm" #t ", %%ymm" #u ", %%ymm" #t "\n\t"
#define LACOS_WIDEN(t) "vpmaddwd %%ymm13, %%ymm" #t ", %%ymm" #t "\n\t"
#define LACOS_SUM(r, t) "vpaddd %%ymm" #t ", %%ymm" #r ", %%ymm" #r "\n\t"
#define LACOS_STEP(r, t, u) LACOS_BYTES(t) LACOS_BYTES(u) LACOS_WORDS(t, u) LACOS_WIDEN(t) LACOS_SUM(r, t)
void Avx2() {
  LACOS_ASM(LACOS_STEP(0, 8, 9) LACOS_STEP(1, 10, 11) LACOS_STEP(2, 12, 9) LACOS_STEP(3, 8, 11) LACOS_STEP(4, 10, 9)
                LACOS_STEP(5, 12, 11) LACOS_STEP(6, 8, 9) LACOS_STEP(7, 10, 11));
}

#if defined(LACOS_BUILD_AMX)
// All tiles of 16 rows of 64 bytes: four sums, two tiles of rows, two of weights, as the kernel has them.
#define LACOS_TMM(a, b, c) "tdpbssd %%tmm" #a ", %%tmm" #b ", %%tmm" #c "\n\t"
#define LACOS_TMM4 LACOS_TMM(7, 5, 0) LACOS_TMM(7, 4, 1) LACOS_TMM(6, 5, 2) LACOS_TMM(6, 4, 3)
void Amx() {
  struct alignas(64) {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
  } shapes = {};
  shapes.palette = 1;
  for (int tile = 0; tile < 8; tile++) {
    shapes.row_bytes[tile] = 64;
    shapes.rows[tile] = 16;
  }
  asm volatile("ldtilecfg %0" ::"m"(shapes));
  for (int i = 0; i < kRounds; i++) asm volatile(LACOS_TMM4 LACOS_TMM4 ::);
  asm volatile("tilerelease");
}
#endif

constexpr Loop kLoops[] = {
#if defined(LACOS_BUILD_AMX)
    {"amx", 8.0 * 16 * 16 * 64 * 2 * kRounds, Amx},
#endif
    {"avx512vnni", 16.0 * 128 * kRounds, Avx512Vnni},
#if defined(LACOS_BUILD_AVXVNNI)
    {"avxvnni", 12.0 * 64 * kRounds, AvxVnni},
#endif
    {"avx2", 8.0 * 128 * kRounds, Avx2},
};

#elif defined(LACOS_BUILD_NEON)

#define LACOS_ASM(body)                                                                                               \
  for (int i = 0; i < kRounds; i++) {                                                                                 \
    asm volatile(body ::                                                                                              \
                     : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", \
                       "v15");                                                                                        \
  }
#define LACOS_ALL(step)                                                                                               \
  step(0) step(1) step(2) step(3) step(4) step(5) step(6) step(7) step(8) step(9) step(10) step(11) step(12) step(13) \
      step(14) step(15)

// As numbers: this file is compiled for CPUs without them, whose assembler refuses their names.
// sdot vR.4s, v30.16b, v31.16b
#define LACOS_DOT(r) ".long 0x4e9f97c0 + " #r "\n\t"
void NeonDot() { LACOS_ASM(LACOS_ALL(LACOS_DOT)) }

// smmla vR.4s, v30.16b, v31.16b
#define LACOS_MATRIX(r) ".long 0x4e9fa7c0 + " #r "\n\t"
void NeonI8mm() { LACOS_ASM(LACOS_ALL(LACOS_MATRIX)) }

// 16 multiply-adds in three instructions, as the kernel has them.
#define LACOS_PRODUCTS(t) "smull v" #t ".8h, v30.8b, v31.8b\n\t smlal v" #t ".8h, v29.8b, v28.8b\n\t"
#define LACOS_STEP(r, t) LACOS_PRODUCTS(t) "sadalp v" #r ".4s, v" #t ".8h\n\t"
void Neon() {
  LACOS_ASM(LACOS_STEP(0, 8) LACOS_STEP(1, 9) LACOS_STEP(2, 10) LACOS_STEP(3, 11) LACOS_STEP(4, 12) LACOS_STEP(5, 13)
                LACOS_STEP(6, 14) LACOS_STEP(7, 15))
}

constexpr Loop kLoops[] = {
    {"neoni8mm", 16.0 * 64 * kRounds, NeonI8mm},
    {"neondot", 16.0 * 32 * kRounds, NeonDot},
    {"neon", 8.0 * 32 * kRounds, Neon},
};

#else

constexpr Loop kLoops[] = {{"", 0, nullptr}};

#endif

const Loop* Find(const char* isa) {
  for (const Loop& loop : kLoops) {
    if (loop.pass != nullptr && std::strcmp(loop.isa, isa) == 0) return &loop;
  }
  return nullptr;
}

// Waits for its threads, also where the system refuses another one.
struct JoinedThreads {
  std::vector<std::thread> threads;
  ~JoinedThreads() {
    for (std::thread& thread : threads) thread.join();
  }
};

double RunFor(const Loop& loop, double seconds) {
  using Clock = std::chrono::steady_clock;
  loop.pass();
  const auto start = Clock::now();
  long passes = 0;
  double elapsed = 0;
  while (elapsed < seconds) {
    for (int i = 0; i < 16; i++) loop.pass();
    passes += 16;
    elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  }
  return loop.operations * static_cast<double>(passes) / elapsed;
}

}  // namespace

double Int8Peak(const char* isa, int threads, double seconds) {
  const Loop* loop = Find(isa);
  if (loop == nullptr) Fail(LACOS_UNSUPPORTED, "There is no peak loop for '%s' in this library.", isa);
  // Systems start new threads on the core of their parent and move them later; the best turn is one in which they had
  // cores of their own.
  std::vector<std::array<double, kTurns>> rates(static_cast<size_t>(threads));
  const auto measure = [&](int thread) {
    for (double& rate : rates[thread]) rate = RunFor(*loop, seconds / kTurns);
  };
  {
    JoinedThreads others;
    for (int i = 1; i < threads; i++) others.threads.emplace_back(measure, i);
    measure(0);
  }
  double best = 0;
  for (int turn = 0; turn < kTurns; turn++) {
    double total = 0;
    for (const auto& rate : rates) total += rate[turn];
    best = total > best ? total : best;
  }
  return best;
}

}  // namespace lacos
