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
// A caller that waits this long for a taken iteration gives its core away: the worker may need it.
constexpr int kSpinsBeforeYield = 4000;

}  // namespace

ThreadPool::ThreadPool(int thread_count, void (*leave)()) : leave_(leave) {
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
  if (sleepers_.load() != 0 && has_workers()) Wake(threads);
}

void ThreadPool::Wake(int threads) {
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
  if (iterations <= 1 || threads <= 1 || !has_workers()) return RunAlone(iterations, body, context);
  threads = std::min(threads, thread_count());
  shares_.Deal(iterations, threads, body, context);
  // A change by nothing, where a look would do, so that a worker that falls asleep sees the loop or is seen here.
  if (sleepers_.fetch_add(0) != 0) Wake(threads);
  shares_.Work(0);
  for (int spins = 0; !shares_.IsOver(); spins++) {
    if (spins < kSpinsBeforeYield) {
      LACOS_PAUSE();
    } else {
      std::this_thread::yield();
    }
  }
}

// seen: the last loop of its share that the worker knows. False when the pool ends.
bool ThreadPool::WaitForLoop(Worker& self, int thread, uint32_t seen) {
  for (;;) {
    const auto start = std::chrono::steady_clock::now();
    do {
      for (int i = 0; i < 64; i++) {
        if (stop_.load(std::memory_order_relaxed)) return false;
        if (shares_.loop(thread) != seen) return true;
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
  sleepers_.fetch_add(1);  // before it looks for a loop: RunOn
  self.wake.wait(lock, [&] { return self.called || shares_.loop(thread) != seen || stop_.load(); });
  sleepers_.fetch_sub(1);
  self.asleep.store(false);
  lock.unlock();
  self.place.Wake();
}

void ThreadPool::Work(Worker& self, int thread) {
  uint32_t seen = 0;
  while (WaitForLoop(self, thread, seen)) {
    seen = shares_.loop(thread);
    shares_.Work(thread);
    if (leave_ != nullptr) leave_();
  }
}

}  // namespace lacos
