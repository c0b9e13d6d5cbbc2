#include "thread_pool.h"

#include <chrono>
#include <system_error>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#define LACOS_PAUSE() _mm_pause()
#elif defined(__aarch64__) && defined(__GNUC__)
#define LACOS_PAUSE() __asm__ volatile("yield")
#else
#define LACOS_PAUSE() ((void)0)
#endif

namespace lacos {
namespace {

// Long enough to bridge the serial parts of an encode, short enough to cost an idle process nothing.
constexpr auto kSpin = std::chrono::microseconds(100);
// A caller that waits this long for a claimed iteration gives its core away: the worker may need it.
constexpr int kSpinsBeforeYield = 4000;

uint32_t LoopNumber(uint64_t ticket) { return static_cast<uint32_t>(ticket >> 32); }

}  // namespace

ThreadPool::ThreadPool(int thread_count) {
  try {
    workers_.reserve(static_cast<size_t>(thread_count > 0 ? thread_count - 1 : 0));
    for (int thread = 1; thread < thread_count; thread++) workers_.emplace_back([this, thread] { Work(thread); });
  } catch (const std::system_error&) {
    // The system has no more threads to give; those that started are enough to be correct.
  }
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_.store(true);
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Run(int iterations, Body body, const void* context) {
  if (workers_.empty() || iterations <= 1) {
    for (int i = 0; i < iterations; i++) body(context, i, 0);
    return;
  }
  // All iterations of the last loop are finished, so nobody counts or runs any more; but a late worker may still read
  // these fields. It then fails to claim, because the ticket has changed.
  const uint32_t loop = LoopNumber(ticket_.load()) + 1;
  ticket_.store(static_cast<uint64_t>(loop) << 32 | kClosed);
  finished_.store(0);
  iterations_.store(iterations);
  body_.store(body);
  context_.store(context);
  ticket_.store(static_cast<uint64_t>(loop) << 32);
  if (sleepers_.load() > 0) {
    std::lock_guard<std::mutex> lock(mutex_);
    wake_.notify_all();
  }
  TakeIterations(0);
  for (int spins = 0; finished_.load(std::memory_order_acquire) != iterations; spins++) {
    if (spins < kSpinsBeforeYield) {
      LACOS_PAUSE();
    } else {
      std::this_thread::yield();
    }
  }
}

void ThreadPool::TakeIterations(int thread) {
  for (uint64_t ticket = ticket_.load();;) {
    const uint64_t next = ticket & 0xffffffffu;
    const int iterations = iterations_.load();
    const Body body = body_.load();
    const void* context = context_.load();
    if (next == kClosed || next >= static_cast<uint64_t>(iterations)) return;
    // Success also proves that the three fields belong to this loop.
    if (!ticket_.compare_exchange_weak(ticket, ticket + 1)) continue;
    body(context, static_cast<int>(next), thread);
    finished_.fetch_add(1, std::memory_order_release);
    ticket = ticket_.load();
  }
}

bool ThreadPool::WaitForLoop(uint32_t& seen) {
  uint64_t ticket = 0;
  const auto open = [&] {
    ticket = ticket_.load();
    return LoopNumber(ticket) != seen && (ticket & 0xffffffffu) != kClosed;
  };
  const auto start = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < 64; i++) {
      if (stop_.load(std::memory_order_relaxed)) return false;
      if (open()) {
        seen = LoopNumber(ticket);
        return true;
      }
      LACOS_PAUSE();
    }
  } while (std::chrono::steady_clock::now() - start < kSpin);
  std::unique_lock<std::mutex> lock(mutex_);
  sleepers_.fetch_add(1);
  wake_.wait(lock, [&] { return open() || stop_.load(); });
  sleepers_.fetch_sub(1);
  seen = LoopNumber(ticket);
  return !stop_.load();
}

void ThreadPool::Work(int thread) {
  uint32_t seen = 0;
  while (WaitForLoop(seen)) TakeIterations(thread);
}

}  // namespace lacos
