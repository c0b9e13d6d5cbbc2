#include "thread_pool.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <system_error>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#define LACOS_PAUSE() _mm_pause()
#elif defined(__aarch64__) && defined(__GNUC__)
// yield does nothing on most cores; isb waits for about as long as pause does.
#define LACOS_PAUSE() __asm__ volatile("isb")
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
    shares_.Reserve(thread_count);
    workers_.reserve(static_cast<size_t>(thread_count > 0 ? thread_count - 1 : 0));
    for (int thread = 1; thread < thread_count; thread++) {
      auto worker = std::make_unique<Worker>();
      Worker& self = *worker;
      self.thread = std::thread([this, &self, thread] { Work(self, thread); });
      workers_.push_back(std::move(worker));
    }
  } catch (const std::system_error&) {
    // The system has no more threads to give; those that started are enough to be correct.
  } catch (const std::bad_alloc&) {
    // Nor memory for them.
  }
}

ThreadPool::~ThreadPool() {
  if (!has_workers()) {
    // There is nobody to join, and what a worker of the parent slept on may wait for it forever: it is left alone.
    for (auto& worker : workers_) static_cast<void>(worker.release());
    return;
  }
  stop_.store(true);
  for (auto& worker : workers_) {
    { std::lock_guard<std::mutex> lock(worker->mutex); }  // not between its look at stop_ and its sleep
    worker->wake.notify_one();
  }
  for (auto& worker : workers_) worker->thread.join();
}

void ThreadPool::Expect(int threads) {
  if (sleepers_.load() == 0 || !has_workers()) return;
  const int count = std::min(threads, thread_count()) - 1;
  WakePlacement placement;
  for (int i = 0; i < count; i++) {
    if (!workers_[i]->asleep.load()) continue;
    std::lock_guard<std::mutex> lock(workers_[i]->mutex);
    placement.Take(workers_[i]->place);
  }
  for (int i = 0; i < count; i++) {
    Worker& worker = *workers_[i];
    if (!worker.asleep.load()) continue;
    {
      std::lock_guard<std::mutex> lock(worker.mutex);
      // It may have woken in between; its place is then its own again.
      if (!worker.asleep.load() || worker.called) continue;
      placement.Clear(worker.place);
      worker.called = true;
    }
    worker.wake.notify_one();
  }
}

void ThreadPool::RunOn(int threads, int iterations, Body body, const void* context) {
  if (iterations <= 1 || threads <= 1 || !has_workers()) {
    for (int i = 0; i < iterations; i++) body(context, i, 0);
    return;
  }
  threads = std::min(threads, thread_count());
  if (iterations <= threads) return RunEach(threads, iterations, body, context);
  shares_.Deal(iterations, threads);
  struct Loop {
    LoopShares& shares;
    Body body;
    const void* context;
  };
  const Loop loop{shares_, body, context};
  const auto drain = [](const void* data, int, int thread) {
    const Loop& mine = *static_cast<const Loop*>(data);
    for (int i; (i = mine.shares.Take(thread)) >= 0;) mine.body(mine.context, i, thread);
  };
  RunEach(threads, threads, drain, &loop);
}

void ThreadPool::RunEach(int threads, int iterations, Body body, const void* context) {
  // All iterations of the last loop are finished, so nobody counts or runs any more; but a late worker may still read
  // these fields. It then fails to claim, because the ticket has changed.
  const uint32_t loop = LoopNumber(ticket_.load()) + 1;
  ticket_.store(static_cast<uint64_t>(loop) << 32 | kClosed);
  finished_.store(0);
  iterations_.store(iterations);
  threads_.store(threads);
  body_.store(body);
  context_.store(context);
  ticket_.store(static_cast<uint64_t>(loop) << 32);
  Expect(threads);
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
    const int threads = threads_.load();
    const Body body = body_.load();
    const void* context = context_.load();
    if (next == kClosed || next >= static_cast<uint64_t>(iterations) || thread >= threads) return;
    // Success also proves that the fields belong to this loop.
    if (!ticket_.compare_exchange_weak(ticket, ticket + 1)) continue;
    body(context, static_cast<int>(next), thread);
    finished_.fetch_add(1, std::memory_order_release);
    ticket = ticket_.load();
  }
}

bool ThreadPool::Open(int thread, uint32_t seen, uint32_t& loop) const {
  const uint64_t ticket = ticket_.load();
  loop = LoopNumber(ticket);
  return loop != seen && (ticket & 0xffffffffu) != kClosed && thread < threads_.load();
}

bool ThreadPool::WaitForLoop(Worker& self, int thread, uint32_t& seen) {
  for (;;) {
    const auto start = std::chrono::steady_clock::now();
    do {
      for (int i = 0; i < 64; i++) {
        if (stop_.load(std::memory_order_relaxed)) return false;
        uint32_t loop;
        if (Open(thread, seen, loop)) {
          seen = loop;
          return true;
        }
        LACOS_PAUSE();
      }
    } while (std::chrono::steady_clock::now() - start < kSpin);
    Sleep(self, thread, seen);
  }
}

void ThreadPool::Sleep(Worker& self, int thread, uint32_t seen) {
  std::unique_lock<std::mutex> lock(self.mutex);
  self.place.Sleep();
  self.called = false;
  self.asleep.store(true);
  // Before the look at the ticket, as a caller counts after it has written one: one of the two sees the other.
  sleepers_.fetch_add(1);
  uint32_t loop;
  self.wake.wait(lock, [&] { return self.called || Open(thread, seen, loop) || stop_.load(); });
  sleepers_.fetch_sub(1);
  self.asleep.store(false);
  lock.unlock();
  self.place.Wake();
}

void ThreadPool::Work(Worker& self, int thread) {
  uint32_t seen = 0;
  while (WaitForLoop(self, thread, seen)) TakeIterations(thread);
}

}  // namespace lacos
