#include "loop_threads.h"

#include <algorithm>
#include <atomic>

#include "openmp.h"

namespace lacos {
namespace {

// Entries are never freed: a loop may still run on one. There are as many as runtimes that were ever shared.
std::atomic<const OpenMp*> shared_openmp{nullptr};

}  // namespace

void ShareOpenMp(const char* library) {
  if (library == nullptr || *library == '\0') {
    shared_openmp.store(nullptr);
    return;
  }
  const OpenMp found = FindOpenMp(library);
  const OpenMp* now = shared_openmp.load();
  if (now == nullptr || now->parallel != found.parallel) shared_openmp.store(new OpenMp(found));
}

void LoopThreads::RunOn(int threads, int iterations, Body body, const void* context) {
  threads = std::min(threads, thread_count_);
  if (iterations <= 1 || threads <= 1) {
    for (int i = 0; i < iterations; i++) body(context, i, 0);
  } else if (const OpenMp* openmp = shared_openmp.load()) {
    RunOnOpenMp(*openmp, threads, iterations, body, context);
  } else {
    if (own_ == nullptr) own_ = std::make_unique<ThreadPool>(thread_count_);
    own_->RunOn(threads, iterations, body, context);
  }
}

int LoopThreads::stride() const { return shared_openmp.load() == nullptr ? thread_count_ : 1; }

void LoopThreads::Expect(int threads) {
  if (own_ != nullptr && shared_openmp.load() == nullptr) own_->Expect(threads);
}

}  // namespace lacos
