#include "model.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <new>

#include "batch_parts.h"
#include "call_runner.h"
#include "forward.h"
#include "kernel_selection.h"
#include "status.h"
#include "thread_count.h"

namespace lacos {
namespace {

// Rows (tokens, without those that sentences share) that go through the layers at once: enough to run at full speed,
// few enough that the buffers stay small.
constexpr int kRowsAtOnce = 1024;
// Where the weights of a block are few enough to pass through a core's caches again and again, so many rows go
// through at once on every thread: what one layer writes is then still there when the next one reads it.
constexpr size_t kSmallBlockBytes = size_t{8} << 20;
constexpr int kRowsInCache = 112;
// Where they are not, each part reads them from memory again: more rows, so that products take longer than that.
constexpr int kRowsPastMemory = 160;
constexpr int kRowsPastMemoryLeast = 80;

uint64_t NextId() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

void CheckRange(int value, int low, int high, const char* name) {
  if (value < low || value > high) {
    Fail(LACOS_INVALID_ARGUMENT, "%s is %d; it must be from %d to %d.", name, value, low, high);
  }
}

LayerNormParameters CopyNorm(const lacos_layer_norm& norm, int hidden, const char* weight, const char* bias,
                             int layer) {
  return {CopyFinite(norm.weight, hidden, weight, layer), CopyFinite(norm.bias, hidden, bias, layer)};
}

}  // namespace

const lacos_model_config& CheckedConfig(const lacos_model_config& config) {
  CheckRange(config.hidden_size, 1, kMaximumColumns / 4, "hidden_size");
  CheckRange(config.layer_count, 1, 4096, "layer_count");
  CheckRange(config.head_count, 1, config.hidden_size, "head_count");
  CheckRange(config.vocabulary_size, 1, 1 << 24, "vocabulary_size");
  CheckRange(config.compute, LACOS_COMPUTE_INT8, LACOS_COMPUTE_FLOAT32, "compute");
  CheckRange(config.thread_count, 0, kMaximumThreads, "thread_count");
  if (config.hidden_size % config.head_count != 0) {
    Fail(LACOS_INVALID_ARGUMENT, "hidden_size %d is not a multiple of head_count %d.", config.hidden_size,
         config.head_count);
  }
  if (!(config.layer_norm_epsilon >= 0) || !std::isfinite(config.layer_norm_epsilon)) {
    Fail(LACOS_INVALID_ARGUMENT, "layer_norm_epsilon is %g; it must be a finite number from 0 on.",
         static_cast<double>(config.layer_norm_epsilon));
  }
  if (!(config.outlier_threshold >= 0) || !std::isfinite(config.outlier_threshold)) {
    Fail(LACOS_INVALID_ARGUMENT, "outlier_threshold is %g; it must be a finite number, 0 for none.",
         static_cast<double>(config.outlier_threshold));
  }
  return config;
}

Model::Model(const lacos_model_config& config, const lacos_matrix& embeddings, const lacos_layer_norm& embeddings_norm,
             const lacos_block* blocks, const lacos_layer_norm& final_norm)
    : config_(CheckedConfig(config)), id_(NextId()), kernels_(&SelectKernels(config.isa)) {
  const int h = config.hidden_size;
  const int threads = config.thread_count > 0 ? config.thread_count : DefaultThreadCount().count;
  embeddings_ = std::make_unique<WeightView>(embeddings, config.vocabulary_size, h, "word_embeddings.weight", -1);
  embeddings_norm_ =
      CopyNorm(embeddings_norm, h, "word_embeddings_layernorm.weight", "word_embeddings_layernorm.bias", -1);
  final_norm_ = CopyNorm(final_norm, h, "ln_f.weight", "ln_f.bias", -1);
  slopes_ = AlibiSlopes(config.head_count);
  if (config.compute == LACOS_COMPUTE_INT8) {
    size_t bytes = 0;
    for (int i = 0; i < config.layer_count; i++) {
      const lacos_block& b = blocks[i];
      bytes += RoomFor(b.query_key_value, 3 * h, h) + RoomFor(b.dense, h, h) + RoomFor(b.dense_h_to_4h, 4 * h, h) +
               RoomFor(b.dense_4h_to_h, h, 4 * h);
    }
    packed_.Reserve(bytes);
  }
  for (int i = 0; i < config.layer_count; i++) {
    const lacos_block& b = blocks[i];
    BlockParameters p;
    p.input_norm = CopyNorm(b.input_layer_norm, h, "input_layernorm.weight", "input_layernorm.bias", i);
    p.query_key_value = MakeLinear(b.query_key_value, 3 * h, h, "self_attention.query_key_value", i);
    p.dense = MakeLinear(b.dense, h, h, "self_attention.dense", i);
    p.post_attention_norm =
        CopyNorm(b.post_attention_layer_norm, h, "post_attention_layernorm.weight", "post_attention_layernorm.bias", i);
    p.up = MakeLinear(b.dense_h_to_4h, 4 * h, h, "mlp.dense_h_to_4h", i);
    p.down = MakeLinear(b.dense_4h_to_h, h, 4 * h, "mlp.dense_4h_to_h", i);
    bytes_ += sizeof(float) * 4 * h;
    blocks_.push_back(std::move(p));
  }
  bytes_ += embeddings_->bytes() + sizeof(float) * 4 * h;
  pool_ = std::make_unique<LoopThreads>(threads, kernels_->int8_gemm->release);
  std::vector<std::pair<int, int>> panels;
  for (size_t i = 0; i < pending_.size(); i++) {
    for (int panel = 0; panel < pending_[i].linear->panel_count(); panel++)
      panels.emplace_back(static_cast<int>(i), panel);
  }
  pool_->For(static_cast<int>(panels.size()), [&](int task, int) {
    pending_[panels[task].first].linear->PackPanel(pending_[panels[task].first].weight, panels[task].second);
  });
  pending_.clear();
  pending_.shrink_to_fit();
}

size_t Model::RoomFor(const lacos_linear& linear, int rows, int columns) const {
  const bool in_place =
      WeightView::PanelsFor(*kernels_->int8_gemm, linear.weight.data, linear.weight.panels) != nullptr;
  return in_place ? 0 : Int8Linear::PackedBytes(*kernels_, rows, columns);
}

LinearLayer Model::MakeLinear(const lacos_linear& linear, int rows, int columns, const char* name, int layer) {
  WeightView weight(linear.weight, rows, columns, name, layer);
  std::vector<float> bias = CopyFinite(linear.bias, rows, name, layer);
  LinearLayer made;
  if (config_.compute == LACOS_COMPUTE_INT8) {
    if (weight.scheme() != LACOS_SCHEME_ROWWISE) {
      Fail(LACOS_INVALID_ARGUMENT,
           "h.%d.%s has scheme %d; int8 arithmetic needs row-wise weights (1). Use weight-only arithmetic or quantise "
           "row-wise.",
           layer, name, weight.scheme());
    }
    const size_t room = RoomFor(linear, rows, columns);
    made.int8 = std::make_unique<Int8Linear>(*kernels_, weight, std::move(bias),
                                             room == 0 ? nullptr : packed_.data() + packed_used_);
    packed_used_ += room;
    int8_bytes_ += made.int8->packed_bytes();
    bytes_ += made.int8->bytes();
    pending_.push_back({made.int8.get(), std::move(weight)});
    return made;
  }
  if (config_.compute == LACOS_COMPUTE_FLOAT32 && weight.scheme() != LACOS_SCHEME_NONE) {
    Fail(LACOS_INVALID_ARGUMENT,
         "h.%d.%s has scheme %d; fp32 arithmetic needs fp32 weights (0). Use weight-only arithmetic.", layer, name,
         weight.scheme());
  }
  made.floats = std::make_unique<FloatLinear>(*kernels_, std::move(weight), std::move(bias));
  bytes_ += made.floats->bytes();
  return made;
}

std::unique_ptr<Workspace> Model::TakeWorkspace() const {
  {
    std::lock_guard<std::mutex> lock(workspace_mutex_);
    if (!workspaces_.empty()) {
      std::unique_ptr<Workspace> workspace = std::move(workspaces_.back());
      workspaces_.pop_back();
      return workspace;
    }
  }
  return std::make_unique<Workspace>();
}

void Model::ReturnWorkspace(std::unique_ptr<Workspace> workspace) const noexcept {
  std::lock_guard<std::mutex> lock(workspace_mutex_);
  // More callers at once than this allocate anew: idle memory must not grow with a burst. Of the buffers of short calls
  // there are as many as run at once.
  const bool little = workspace->hidden.count() <= static_cast<size_t>(kShortTokens) * hidden();
  const size_t most = static_cast<size_t>(std::max(2, thread_count())) * (little ? kShortCallsOnACpu : 1);
  if (workspaces_.size() >= most) return;
  try {
    workspaces_.push_back(std::move(workspace));
  } catch (const std::bad_alloc&) {
    // It is freed instead; the call has its results.
  }
}

int Model::PartRows(int rows, int threads) const {
  if (config_.compute != LACOS_COMPUTE_INT8) return 0;
  const size_t block_bytes = int8_bytes_ / blocks_.size();
  if (block_bytes <= kSmallBlockBytes) return kRowsInCache;
  if (block_bytes > kernels_->int8_gemm->own_block_bytes) return 0;
  return rows / threads >= kRowsPastMemoryLeast ? kRowsPastMemory : 0;
}

void Model::Encode(const TokenBatch& batch, const int32_t* pool_from, const Pooling& pooling, float* vectors,
                   float* hidden_states) const {
  // Columns that are outliers in one sentence need not be in another that begins like it.
  const bool share = hidden_states == nullptr && !has_outliers();
  const Prompt* prompt = share ? batch.prompt : nullptr;
  std::vector<SharedPrefix> shared(static_cast<size_t>(batch.sentences));
  if (share) {
    shared = SharedPrefixes(batch.ids, batch.offsets, batch.sentences, prompt == nullptr ? nullptr : prompt->ids(),
                            prompt == nullptr ? 0 : prompt->tokens());
  }
  std::vector<int32_t> ends(static_cast<size_t>(batch.sentences) + 1);
  for (int s = 0; s < batch.sentences; s++) {
    ends[s + 1] = ends[s] + batch.offsets[s + 1] - batch.offsets[s] - shared[s].length(s == 0);
  }
  const SentenceRows rows{ends.data(), shared.data()};
  const RunningCall call(ends.back(), pool_->thread_count());
  CallRunner runner(call, *pool_, pool_mutex_);
  const int threads = runner.thread_count();
  const int part_rows = PartRows(ends.back(), threads);
  std::vector<BatchPart> parts;
  if (part_rows > 0 && threads > 1) parts = EvenParts(rows, batch.sentences, part_rows, threads);
  const bool part_a_thread = !parts.empty();
  if (!part_a_thread) {
    parts = PartsUpTo(rows, batch.sentences, part_rows > 0 && threads == 1 ? part_rows : kRowsAtOnce);
  }
  Forward::Size size{0, 0, 0, 0};
  for (const BatchPart& part : parts) {
    size.tokens = std::max(size.tokens, batch.offsets[part.last] - batch.offsets[part.first]);
    size.rows = std::max(size.rows, rows.Of(part));
    size.sentences = std::max(size.sentences, part.last - part.first);
  }
  for (int s = 0; s < batch.sentences; s++) {
    size.longest = std::max(size.longest, batch.offsets[s + 1] - batch.offsets[s]);
  }
  std::vector<std::unique_ptr<Workspace>> workspaces;
  for (int i = 0; i < (part_a_thread ? threads : 1); i++) {
    workspaces.push_back(TakeWorkspace());
    Forward::Reserve(*this, *workspaces.back(), part_a_thread ? 1 : threads, size);
  }
  const auto run = [&](const BatchPart& part, LoopRunner& loops, Workspace& workspace) {
    const TokenBatch some{batch.ids, batch.offsets + part.first, part.last - part.first,
                          share ? shared.data() + part.first : nullptr, prompt};
    Forward forward(*this, workspace, loops, some);
    if (hidden_states != nullptr) {
      forward.Run(hidden_states + static_cast<size_t>(batch.offsets[part.first] - batch.offsets[0]) * hidden());
    } else {
      forward.RunPooled(pool_from == nullptr ? nullptr : pool_from + part.first, pooling,
                        vectors + static_cast<size_t>(part.first) * pooling.dimension);
    }
  };
  if (part_a_thread) {
    // In their order, whoever is free: a loop over them would begin with a stretch for each thread.
    const int count = static_cast<int>(parts.size());
    std::atomic<int> next{0};
    runner.For(std::min(threads, count), [&](int, int thread) {
      SerialRunner own;
      for (int part; (part = next.fetch_add(1)) < count;) run(parts[part], own, *workspaces[thread]);
    });
  } else {
    for (const BatchPart& part : parts) run(part, runner, *workspaces[0]);
  }
  for (auto& workspace : workspaces) ReturnWorkspace(std::move(workspace));
}

void Model::Compute(Prompt& prompt) const {
  const int tokens = prompt.tokens();
  const RunningCall call(tokens, pool_->thread_count());
  CallRunner runner(call, *pool_, pool_mutex_);
  std::unique_ptr<Workspace> workspace = TakeWorkspace();
  Forward::Reserve(*this, *workspace, runner.thread_count(), {tokens, tokens, tokens, 1});
  const int32_t offsets[] = {0, tokens};
  Forward(*this, *workspace, runner, {prompt.ids(), offsets, 1}).RunPrompt(prompt);
  ReturnWorkspace(std::move(workspace));
}

}  // namespace lacos
