#include "loop_threads.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

#include "openmp.h"

namespace lacos {
namespace {

std::atomic<const OpenMp*> shared_openmp{nullptr};

// The entry of a runtime: one for each that was ever shared, never freed, because a loop may still run on it.
const OpenMp* EntryOf(const OpenMp& found) {
  static std::mutex mutex;
  static std::vector<const OpenMp*>& entries = *new std::vector<const OpenMp*>;
  std::lock_guard<std::mutex> lock(mutex);
  for (const OpenMp* entry : entries) {
    if (entry->parallel == found.parallel) return entry;
  }
  entries.reserve(entries.size() + 1);
  entries.push_back(new OpenMp(found));
  return entries.back();
}

}  // namespace

void ShareOpenMp(const char* library) {
  if (library == nullptr || *library == '\0') {
    shared_openmp.store(nullptr);
    return;
  }
  shared_openmp.store(EntryOf(FindOpenMp(library)));
}

void LoopThreads::RunOn(int threads, int iterations, Body body, const void* context) {
  threads = std::min(threads, thread_count_);
  const OpenMp* openmp = shared_openmp.load();
  const bool is_left_behind = openmp != nullptr && openmp->forks != ProcessForks();
  if (iterations <= 1 || threads <= 1 || is_left_behind) {
    RunAlone(iterations, body, context);
  } else if (openmp != nullptr) {
    RunOnOpenMp(*openmp, shares_, threads, iterations, body, context, leave_);
  } else {
    if (own_ == nullptr) own_ = std::make_unique<ThreadPool>(thread_count_, leave_);
    own_->RunOn(threads, iterations, body, context);
  }
  if (leave_ != nullptr) leave_();
}

void LoopThreads::Expect(int threads) {
  if (own_ != nullptr && shared_openmp.load() == nullptr) own_->Expect(threads);
}

}  // namespace lacos
