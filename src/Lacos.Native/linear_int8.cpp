#include <algorithm>
#include <cstring>

#include "fetch_line.h"
#include "linear.h"
#include "linear_blocking.h"
#include "loop_shares.h"

namespace lacos {

void LinearScratch::Reserve(const KernelSet& kernels, int threads) {
  const size_t columns = std::max(kernels.int8_gemm->columns, kernels.float_gemm->columns);
  panels.resize(threads);
  sums.resize(threads);
  extras.resize(threads);
  excess.resize(threads);
  for (auto& buffer : panels) buffer.Reserve(columns * 256);
  for (auto& buffer : sums) buffer.Reserve(columns * kRowBlockMaximum);
  for (auto& buffer : extras) buffer.Reserve(columns * (kernels.int8_gemm->rows + 1));
}

size_t Int8Linear::PackedBytes(const KernelSet& kernels, int rows, int columns) {
  const Int8GemmKernel& gemm = *kernels.int8_gemm;
  const size_t groups = (static_cast<size_t>(columns) + gemm.k_group - 1) / gemm.k_group;
  const size_t panels = (static_cast<size_t>(rows) + gemm.columns - 1) / gemm.columns;
  return panels * groups * gemm.k_group * gemm.columns;
}

Int8Linear::Int8Linear(const KernelSet& kernels, const WeightView& weight, std::vector<float> bias, uint8_t* memory)
    : kernels_(&kernels), n_(weight.rows()), k_(weight.columns()), room_(memory) {
  const Int8GemmKernel& gemm = *kernels.int8_gemm;
  k_groups_ = (k_ + gemm.k_group - 1) / gemm.k_group;
  panel_count_ = (n_ + gemm.columns - 1) / gemm.columns;
  panel_bytes_ = static_cast<size_t>(k_groups_) * gemm.k_group * gemm.columns;
  packed_ = room_ == nullptr ? weight.PanelsFor(gemm) : room_;
  if (packed_ == nullptr) {
    own_memory_.Reserve(packed_bytes());
    packed_ = room_ = own_memory_.data();
  }
  const size_t padded = static_cast<size_t>(panel_count_) * gemm.columns;
  column_scales_.Reserve(padded);
  bias_.Reserve(padded);
  std::fill_n(column_scales_.data(), padded, 0.0f);
  std::fill_n(bias_.data(), padded, 0.0f);
  for (int i = 0; i < n_; i++) column_scales_[i] = weight.scales()[i] / 127.0f;
  std::copy(bias.begin(), bias.end(), bias_.data());
  if (gemm.split != nullptr) reach_ = std::make_unique<WeightReach>(gemm, n_, k_);
}

namespace {

// Columns k..last of one output, kGroup of them at a time; returns the first that is left.
template <typename Group>
int PackGroups(const int8_t* row, int k, int last, uint8_t flip, int outputs, int output, uint8_t* to) {
  constexpr int kGroup = sizeof(Group);
  const Group flips = static_cast<Group>(flip * 0x0101010101010101u);
  for (; k + kGroup <= last; k += kGroup) {
    Group group;
    std::memcpy(&group, row + k, kGroup);
    group = static_cast<Group>(group ^ flips);
    std::memcpy(to + static_cast<size_t>(k) * outputs + static_cast<size_t>(output) * kGroup, &group, kGroup);
  }
  return k;
}

}  // namespace

void Int8Linear::PackPanel(const WeightView& weight, int panel) {
  if (room_ != nullptr) Pack(weight, panel);
  if (reach_ != nullptr) reach_->Add(packed_ + panel_bytes_ * panel);
}

void Int8Linear::Pack(const WeightView& weight, int panel) {
  const Int8GemmKernel& gemm = *kernels_->int8_gemm;
  const int group = gemm.k_group;
  const int columns = std::min(gemm.columns, n_ - panel * gemm.columns);
  std::vector<int8_t> unpacked;
  const int8_t* rows = weight.Rows(panel * gemm.columns, columns, unpacked);
  uint8_t* to = room_ + panel_bytes_ * panel;
  if (columns < gemm.columns || k_ % group != 0) std::memset(to, gemm.weight_xor, panel_bytes_);
  // A few columns at a time keep both sides of the transposition in the first-level cache.
  constexpr int kChunk = 256;
  for (int first = 0; first < k_; first += kChunk) {
    const int last = std::min(k_, first + kChunk);
    for (int j = 0; j < columns; j++) {
      const int8_t* row = rows + static_cast<size_t>(j) * k_;
      int k = first;
      if (group == 8) k = PackGroups<uint64_t>(row, k, last, gemm.weight_xor, gemm.columns, j, to);
      if (group == 4) k = PackGroups<uint32_t>(row, k, last, gemm.weight_xor, gemm.columns, j, to);
      if (group == 2) k = PackGroups<uint16_t>(row, k, last, gemm.weight_xor, gemm.columns, j, to);
      for (; k < last; k++) {
        const size_t at = (static_cast<size_t>(k / group) * gemm.columns + j) * group + k % group;
        to[at] = static_cast<uint8_t>(static_cast<uint8_t>(row[k]) ^ gemm.weight_xor);
      }
    }
  }
}

struct Int8Linear::Job {
  const QuantizedRows* rows;  // null: each thread makes its own
  LinearScratch& scratch;
  const LinearOutput& output;
  const float* bias;
  const std::vector<OutlierSpan>* spans;
  const float* x;
  size_t x_stride;
  int m;
  uint64_t run;
  int row_block;
  int threads;
  const Int8Linear* following;  // the layer that is run next, or null
};

int Int8Linear::RowBlockOf(int m, int threads) const {
  const int fitting = RowsOfNarrowLayer(m, kRowBlockBytes / std::min(k_, kDepthBlock), panel_count_, threads);
  return RowBlock(m, fitting, kernels_->int8_gemm->rows, panel_count_, threads);
}

int Int8Linear::WorkOf(int m, int threads) const {
  const int row_block = RowBlockOf(m, threads);
  return (m + row_block - 1) / row_block * panel_count_;
}

void Int8Linear::Run(LoopRunner& runner, LinearScratch& scratch, const QuantizedRows& rows, int m, const float* bias,
                     const std::vector<OutlierSpan>* spans, const float* x, size_t x_stride, const LinearOutput& output,
                     const Int8Linear* following) const {
  const int threads = runner.thread_count();
  RunJob(runner, {&rows, scratch, output, bias, spans, x, x_stride, m, ++scratch.runs, RowBlockOf(m, threads), threads,
                  following});
}

void Int8Linear::RunOnFloats(LoopRunner& runner, LinearScratch& scratch, const float* x, size_t x_stride, int m,
                             const float* bias, const LinearOutput& output) const {
  const int threads = runner.thread_count();
  scratch.own_rows.resize(threads);
  for (LinearScratch::OwnRows& own : scratch.own_rows) ReserveRows(own.rows, m);
  RunJob(runner, {nullptr, scratch, output, bias, nullptr, x, x_stride, m, ++scratch.runs, RowBlockOf(m, threads),
                  threads, nullptr});
}

void Int8Linear::RunJob(LoopRunner& runner, const Job& job) const {
  runner.For(WorkOf(job.m, job.threads),
             [&](int work, int thread, int next) { RunPanel(job, work, NextWeights(job, next, thread), thread); });
}

namespace {

// What the tiles of one stretch of weights fetch for later: each a part of the stretch that comes next. A single
// tile cannot hide that: it runs at the speed of memory, and fetches a little ahead of itself.
class Ahead {
 public:
  Ahead(int tiles, const Int8GemmKernel& gemm, const uint8_t* here, const uint8_t* next)
      : from_(tiles == 1 ? here + gemm.stream_ahead : next),
        here_(here),
        group_bytes_(static_cast<size_t>(gemm.k_group) * gemm.columns),
        step_(group_bytes_) {
    while (step_ > kLeast && step_ / 2 * tiles >= group_bytes_) step_ /= 2;
    whole_ = step_ == kLeast ? group_bytes_ / step_ : 2 * group_bytes_ / step_ - tiles;
  }

  int bytes(int tile) const {
    if (from_ == nullptr || first(tile) >= group_bytes_) return 0;
    return static_cast<int>(static_cast<size_t>(tile) < whole_ ? step_ : step_ / 2);
  }
  const uint8_t* at(int tile, int groups) const { return bytes(tile) == 0 ? here_ : from_ + first(tile) * groups; }

 private:
  static constexpr size_t kLeast = 4;

  // Bytes of each group that tiles before this one fetch.
  size_t first(int tile) const {
    const size_t before = static_cast<size_t>(tile);
    return before <= whole_ ? before * step_ : whole_ * step_ + (before - whole_) * (step_ / 2);
  }

  const uint8_t* from_;
  const uint8_t* here_;
  size_t group_bytes_;
  size_t step_;
  size_t whole_;  // tiles that fetch step_ bytes of a group; the others fetch half of it
};

// What a panel's sums are scaled and shifted by is seldom cached: layers are long.
void FetchColumns(const float* scales, const float* bias, int columns) {
  for (int i = 0; i < columns; i += 16) {
    FetchLine(scales + i);
    FetchLine(bias + i);
  }
}

// What a tile will write (and add to, where the residual lies there) is on its way while its product is computed.
void FetchOutput(const LinearOutput& output, int first_row, int rows, int column, int columns) {
  const float* to = output.y + output.y_stride * first_row + column;
  for (int row = 0; row < rows; row++, to += output.y_stride) {
    for (int i = 0; i < columns; i += 16) FetchLine(to + i);
  }
}

}  // namespace

// Where the weights begin that a thread multiplies next; after its last, those that its share of the next layer begins
// with.
const uint8_t* Int8Linear::NextWeights(const Job& job, int next, int thread) const {
  if (next >= 0) return packed_ + panel_bytes_ * (next % panel_count_);
  if (job.following == nullptr) return nullptr;
  const Int8Linear& layer = *job.following;
  const int work = layer.WorkOf(job.m, job.threads);
  const int first = LoopShares::First(work, job.threads, thread);
  return layer.packed_ + layer.panel_bytes_ * (first % layer.panel_count_);
}

const QuantizedRows& Int8Linear::RowsOf(const Job& job, int work, int thread) const {
  if (job.rows != nullptr) return *job.rows;
  LinearScratch::OwnRows& own = job.scratch.own_rows[thread];
  if (own.run == job.run) return own.rows;
  own.run = job.run;
  // The weights that it multiplies first are on their way meanwhile, as far as any second-level cache holds them.
  const uint8_t* weights = packed_ + panel_bytes_ * (work % panel_count_);
  const size_t bytes = std::min(panel_bytes_, size_t{64} * 1024);
  size_t fetched = 0;
  for (int row = 0; row < job.m; row++) {
    for (; fetched < bytes * (row + 1) / job.m; fetched += 64) FetchLineFarther(weights + fetched);
    own.rows.Set(*kernels_, row, job.x + job.x_stride * row, k_);
  }
  return own.rows;
}

// work: a panel, counted through all blocks of rows. next_weights: what the thread multiplies after it, or null.
void Int8Linear::RunPanel(const Job& job, int work, const uint8_t* next_weights, int thread) const {
  const Int8GemmKernel& gemm = *kernels_->int8_gemm;
  const QuantizedRows& quantized = RowsOf(job, work, thread);
  const int first_row = work / panel_count_ * job.row_block;
  const int block_rows = std::min(job.row_block, job.m - first_row);
  const int panel = work % panel_count_;
  const int tiles = (block_rows + gemm.rows - 1) / gemm.rows;
  // Equal tiles: 16 rows become 6, 5, 5 and not 6, 6, 4; but whole ones where a tile of another height costs a setting.
  const bool is_equal = gemm.release == nullptr;
  const int tile_base = block_rows / tiles;
  const int tile_more = block_rows % tiles;
  const int depth_groups = kDepthBlock / gemm.k_group;
  const int depth_blocks = (k_groups_ + depth_groups - 1) / depth_groups;
  int32_t* sums = reinterpret_cast<int32_t*>(job.scratch.sums[thread].data());
  float* extra = job.scratch.extras[thread].data();
  const auto rows_of = [&](int tile, int row) {
    return is_equal ? tile_base + (tile < tile_more ? 1 : 0) : std::min(gemm.rows, block_rows - row);
  };
  const bool with_extra = job.spans != nullptr;
  // Where nothing is added to the sums of several tiles at once, a tile's become output while they are still at hand.
  const int tiles_of_band = with_extra || gemm.split == nullptr ? 1 : TilesOfBand(gemm.rows);
  const auto band_rows_of = [&](int band, int row) {
    const int first = row;
    const int last_tile = std::min(tiles, (band + 1) * tiles_of_band);
    for (int tile = band * tiles_of_band; tile < last_tile; tile++) row += rows_of(tile, row);
    return row - first;
  };
  const ExcessBands& excess = job.scratch.excess[thread].Of(job.run, first_row, quantized.excess, band_rows_of);
  const size_t group_bytes = static_cast<size_t>(gemm.k_group) * gemm.columns;
  const uint8_t* weights = packed_ + panel_bytes_ * panel;
  const int column = panel * gemm.columns;
  for (int depth = 0; depth < depth_blocks; depth++) {
    const int first_group = depth * depth_groups;
    const int groups = std::min(depth_groups, k_groups_ - first_group);
    const size_t block_bytes = group_bytes * groups;
    const uint8_t* here = weights + group_bytes * first_group;
    const bool last_depth = depth + 1 == depth_blocks;
    const Ahead ahead(tiles, gemm, here, last_depth ? next_weights : here + block_bytes);
    if (last_depth) FetchColumns(column_scales_.data() + column, job.bias + column, gemm.columns);
    for (int tile = 0, row = 0, band_row = 0; tile < tiles; tile++) {
      const int rows = rows_of(tile, row);
      int32_t* c = sums + static_cast<size_t>(row) * gemm.columns;
      const int8_t* a = quantized.codes.data() + quantized.stride * (first_row + row) +
                        static_cast<size_t>(first_group) * gemm.k_group;
      if (last_depth) FetchOutput(job.output, first_row + row, rows, column, std::min(gemm.columns, n_ - column));
      gemm.tile({rows, groups, depth > 0, a, quantized.stride, here, c, ahead.at(tile, groups), ahead.bytes(tile),
                 quantized.excess.is_split()});
      row += rows;
      if (tile + 1 < tiles && (tile + 1) % tiles_of_band != 0) continue;
      int32_t* band_sums = sums + static_cast<size_t>(band_row) * gemm.columns;
      excess.AddTo(band_sums, gemm, tile / tiles_of_band, first_group * gemm.k_group, groups * gemm.k_group, here);
      const int at = first_row + band_row;
      const int count = row - band_row;
      band_row = row;
      if (!last_depth) continue;
      if (with_extra) AddOutliers(job, panel, at, count, extra);
      const LinearOutput& o = job.output;
      kernels_->vector->finish({count, std::min(gemm.columns, n_ - column), gemm.columns, band_sums, nullptr,
                                quantized.offsets.data() + at, quantized.scales.data() + at,
                                column_scales_.data() + column, job.bias + column, with_extra ? extra : nullptr, o.gelu,
                                o.residual == nullptr ? nullptr : o.residual + o.residual_stride * at + column,
                                o.residual_stride, o.y + o.y_stride * at + column, o.y_stride});
    }
  }
}

void Int8Linear::AddOutliers(const Job& job, int panel, int first_row, int rows, float* extra) const {
  const Int8GemmKernel& gemm = *kernels_->int8_gemm;
  const int width = gemm.columns;
  std::fill_n(extra, static_cast<size_t>(rows) * width, 0.0f);
  float* weights = extra + static_cast<size_t>(gemm.rows) * width;
  const uint8_t* packed = packed_ + panel_bytes_ * panel;
  const float* scales = column_scales_.data() + static_cast<size_t>(panel) * width;
  for (const OutlierSpan& span : *job.spans) {
    const int first = std::max(first_row, span.first_row);
    const int last = std::min(first_row + rows, span.last_row);
    if (first >= last) continue;
    for (int i = 0; i < span.column_count; i++) {
      const int k = span.columns[i];
      const uint8_t* group = packed + static_cast<size_t>(k / gemm.k_group) * width * gemm.k_group + k % gemm.k_group;
      for (int j = 0; j < width; j++) {
        const int8_t code = static_cast<int8_t>(group[static_cast<size_t>(j) * gemm.k_group] ^ gemm.weight_xor);
        weights[j] = static_cast<float>(code) * scales[j];
      }
      for (int row = first; row < last; row++) {
        const float value = job.x[job.x_stride * row + k];
        float* sums = extra + static_cast<size_t>(row - first_row) * width;
        for (int j = 0; j < width; j++) sums[j] += value * weights[j];
      }
    }
  }
}

}  // namespace lacos
