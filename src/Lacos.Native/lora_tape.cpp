#include "lora_tape.h"

namespace lacos {

BlockActivations TakeBlock(Stretch& stretch, const ActivationShape& shape) {
  const size_t n = shape.tokens * shape.hidden;
  BlockActivations block;
  block.qkv = stretch.Take<uint16_t>(3 * n);
  if (shape.ranks[1] > 0) block.context = stretch.Take<uint16_t>(n);
  block.middle = stretch.Take<float>(n);
  block.up = stretch.Take<uint16_t>(4 * n);
  for (int i = 0; i < kLinearsInBlock; i++) {
    if (shape.ranks[i] > 0) block.low[i] = stretch.Take<float>(shape.tokens * shape.ranks[i]);
  }
  return block;
}

size_t BlockBytes(const ActivationShape& shape) {
  Stretch counter(nullptr);
  TakeBlock(counter, shape);
  return counter.used();
}

void Tape::Lay(TapeRows rows, std::vector<ActivationShape> shapes_of_blocks, int kept) {
  rows_ = std::move(rows);
  shapes_ = std::move(shapes_of_blocks);
  const std::vector<ActivationShape>& shapes = shapes_;
  blocks_.resize(shapes.size());
  const auto Place = [&](uint8_t* memory) {
    Stretch stretch(memory);
    for (size_t i = 0; i < shapes.size(); i++) {
      BlockTape& block = blocks_[i];
      block.input = stretch.Take<float>(shapes[i].tokens * shapes[i].hidden);
      block.kept = static_cast<int>(i) < kept;
      block.activations = block.kept ? TakeBlock(stretch, shapes[i]) : BlockActivations();
    }
    last_ = stretch.Take<float>(shapes[0].tokens * shapes[0].hidden);
    return stretch.used();
  };
  memory_.Reserve(Place(nullptr));
  Place(memory_.data());
}

}  // namespace lacos
