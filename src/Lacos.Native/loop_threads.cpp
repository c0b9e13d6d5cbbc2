#include "loop_threads.h"

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

void LoopThreads::Run(int iterations, Body body, const void* context) {
  if (iterations <= 1 || thread_count_ <= 1) {
    for (int i = 0; i < iterations; i++) body(context, i, 0);
  } else if (const OpenMp* openmp = shared_openmp.load()) {
    RunOnOpenMp(*openmp, thread_count_, iterations, body, context);
  } else {
    if (own_ == nullptr) own_ = std::make_unique<ThreadPool>(thread_count_);
    own_->Run(iterations, body, context);
  }
}

}  // namespace lacos
