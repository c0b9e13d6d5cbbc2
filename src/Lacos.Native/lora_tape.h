// What a forward pass of training leaves for the way back.
#ifndef LACOS_LORA_TAPE_H_
#define LACOS_LORA_TAPE_H_

#include <cstdint>
#include <vector>

#include "aligned_buffer.h"

namespace lacos {

constexpr int kLinearsInBlock = 4;  // query_key_value, dense, dense_h_to_4h, dense_4h_to_h

// One block's activations; a null pointer is not kept. Large ones are bfloat16: they only enter gradients, whose int8
// products are coarser than that.
struct BlockActivations {
  uint16_t* qkv = nullptr;           // [tokens, 3 * hidden]
  uint16_t* context = nullptr;       // [tokens, hidden], where dense has an adapter
  float* middle = nullptr;           // [tokens, hidden], after attention
  uint16_t* up = nullptr;            // [tokens, 4 * hidden], before GELU
  float* low[kLinearsInBlock] = {};  // [tokens, rank], where there is an adapter
};

// The sizes that decide what a block takes.
struct ActivationShape {
  size_t tokens;
  size_t hidden;
  int ranks[kLinearsInBlock];
};

// Gives out aligned pieces of one stretch of memory; before the stretch is there, it only counts.
class Stretch {
 public:
  explicit Stretch(uint8_t* memory) : memory_(memory) {}

  template <class T>
  T* Take(size_t count) {
    uint8_t* piece = memory_ == nullptr ? nullptr : memory_ + used_;
    // A vector more: products read to the end of their last panel.
    used_ += (count * sizeof(T) + 63) / 64 * 64 + 256;
    return reinterpret_cast<T*>(piece);
  }
  size_t used() const { return used_; }

 private:
  uint8_t* memory_;
  size_t used_ = 0;
};

BlockActivations TakeBlock(Stretch& stretch, const ActivationShape& shape);
size_t BlockBytes(const ActivationShape& shape);

struct BlockTape {
  float* input = nullptr;  // [tokens, hidden], always kept: a block that is not is computed again from it
  bool kept = false;
  BlockActivations activations;
};

struct Dropout {
  uint64_t key;        // of run and step
  uint32_t threshold;  // 0: nothing is dropped
};

// The rows of a batch and what makes their dropout their own.
struct TapeRows {
  std::vector<int32_t> offsets;
  std::vector<int64_t> keys;
  Dropout dropout;
  int tokens() const { return offsets.back(); }
  int count() const { return static_cast<int>(offsets.size()) - 1; }
};

// All its memory is one stretch, kept from step to step.
class Tape {
 public:
  // Lays out a pass; the first `kept` blocks keep their activations. shapes: one a block.
  void Lay(TapeRows rows, std::vector<ActivationShape> shapes, int kept);

  const TapeRows& rows() const { return rows_; }
  std::vector<BlockTape>& blocks() { return blocks_; }
  // The rank that a linear layer's adapter had.
  int rank(int block, int linear) const { return shapes_[block].ranks[linear]; }
  float* last() { return last_; }  // [tokens, hidden], what goes into the final layer norm
  size_t bytes() const { return memory_.bytes(); }
  size_t kept_bytes = 0;  // of the activations alone: what counts against the budget

 private:
  TapeRows rows_;
  std::vector<ActivationShape> shapes_;
  std::vector<BlockTape> blocks_;
  float* last_ = nullptr;
  AlignedBuffer<uint8_t> memory_;
};

}  // namespace lacos

#endif  // LACOS_LORA_TAPE_H_
