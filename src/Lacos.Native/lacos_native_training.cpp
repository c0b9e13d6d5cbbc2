// The C boundary of training: checks arguments, turns errors into statuses.
#include "boundary.h"
#include "lora_model.h"
#include "token_check.h"

struct lacos_lora {
  lacos::LoraModel model;
};

struct lacos_lora_tape {
  std::unique_ptr<lacos::Tape> tape;
  std::shared_ptr<lacos::TapePool> pool;
};

namespace {

using lacos::Fail;
using lacos::Guard;
using lacos::NotNull;

void CheckAdapters(const lacos::LoraModel& model, const lacos_adapter* adapters) {
  NotNull(adapters, "adapters");
  for (int i = 0; i < model.config().layer_count * lacos::kLinearsInBlock; i++) {
    const lacos_adapter& adapter = adapters[i];
    if (adapter.rank < 0 || adapter.rank > lacos::kMaximumColumns) {
      Fail(LACOS_INVALID_ARGUMENT, "adapters[%d].rank is %d; it must be from 0 (none) to %d.", i, adapter.rank,
           lacos::kMaximumColumns);
    }
    if (adapter.rank > 0 && (adapter.a == nullptr || adapter.b == nullptr)) {
      Fail(LACOS_INVALID_ARGUMENT, "adapters[%d] has rank %d but no A or no B.", i, adapter.rank);
    }
  }
}

void CheckLength(int64_t length, int64_t tokens, const lacos::LoraModel& model, const char* name) {
  const int64_t expected = tokens * model.config().hidden_size;
  if (length != expected) {
    Fail(LACOS_INVALID_ARGUMENT, "%s is %lld; %lld tokens need %lld.", name, static_cast<long long>(length),
         static_cast<long long>(tokens), static_cast<long long>(expected));
  }
}

}  // namespace

extern "C" {

lacos_status lacos_lora_create(const lacos_model_config* config, const lacos_matrix* word_embeddings,
                               const lacos_layer_norm* word_embeddings_layer_norm,
                               const lacos_layer_norm* final_layer_norm, lacos_lora** lora) {
  return Guard([&] {
    NotNull(lora, "lora");
    *lora = nullptr;
    NotNull(config, "config");
    NotNull(word_embeddings, "word_embeddings");
    NotNull(word_embeddings_layer_norm, "word_embeddings_layer_norm");
    NotNull(final_layer_norm, "final_layer_norm");
    if (config->struct_size != static_cast<int32_t>(sizeof *config)) {
      Fail(LACOS_INVALID_ARGUMENT, "struct_size is %d; this library's lacos_model_config has %d bytes.",
           config->struct_size, static_cast<int>(sizeof *config));
    }
    *lora = new lacos_lora{{*config, *word_embeddings, *word_embeddings_layer_norm, *final_layer_norm}};
  });
}

lacos_status lacos_lora_add_block(lacos_lora* lora, const lacos_block* block) {
  return Guard([&] {
    NotNull(lora, "lora");
    NotNull(block, "block");
    lora->model.AddBlock(*block);
  });
}

void lacos_lora_destroy(lacos_lora* lora) { delete lora; }

lacos_status lacos_lora_forward(lacos_lora* lora, const lacos_training_rows* rows, const lacos_adapter* adapters,
                                int64_t activation_bytes, lacos_lora_tape** tape, float* hidden_states,
                                int64_t hidden_states_length) {
  return Guard([&] {
    if (tape != nullptr) *tape = nullptr;
    NotNull(lora, "lora");
    NotNull(rows, "rows");
    lacos::LoraModel& model = lora->model;
    if (!model.is_whole()) {
      Fail(LACOS_INVALID_ARGUMENT, "Blocks are missing; add all %d before the first pass.", model.config().layer_count);
    }
    const lacos::TokenBatch batch =
        lacos::CheckTokens(model.config().vocabulary_size, model.config().head_count, rows->token_ids,
                           rows->token_count, rows->row_offsets, rows->row_count);
    if (batch.tokens() == 0) Fail(LACOS_INVALID_ARGUMENT, "The batch has no token; leave empty rows out of training.");
    NotNull(rows->row_keys, "row_keys");
    NotNull(hidden_states, "hidden_states");
    CheckLength(hidden_states_length, rows->token_count, model, "hidden_states_length");
    CheckAdapters(model, adapters);
    if (activation_bytes < 0) {
      Fail(LACOS_INVALID_ARGUMENT, "activation_bytes is %lld; it must not be negative.",
           static_cast<long long>(activation_bytes));
    }
    const lacos::TapeRows kept{{rows->row_offsets, rows->row_offsets + rows->row_count + 1},
                               {rows->row_keys, rows->row_keys + rows->row_count},
                               {rows->dropout_key, rows->dropout_threshold}};
    std::unique_ptr<lacos_lora_tape, decltype(&lacos_lora_tape_destroy)> made(nullptr, lacos_lora_tape_destroy);
    if (tape != nullptr) {
      std::unique_ptr<lacos::Tape> taken = model.tapes()->Take();
      made.reset(new lacos_lora_tape{std::move(taken), model.tapes()});
    }
    model.Forward(rows->token_ids, kept, adapters, static_cast<size_t>(activation_bytes),
                  made == nullptr ? nullptr : made->tape.get(), hidden_states);
    if (tape != nullptr) *tape = made.release();
  });
}

lacos_status lacos_lora_backward(lacos_lora* lora, lacos_lora_tape* tape, const lacos_adapter* adapters,
                                 const float* gradient, int64_t gradient_length,
                                 const lacos_adapter_gradient* gradients) {
  return Guard([&] {
    NotNull(lora, "lora");
    NotNull(tape, "tape");
    NotNull(gradient, "gradient");
    NotNull(gradients, "gradients");
    lacos::LoraModel& model = lora->model;
    if (tape->pool != model.tapes()) Fail(LACOS_INVALID_ARGUMENT, "The tape belongs to another model.");
    CheckLength(gradient_length, tape->tape->rows().tokens(), model, "gradient_length");
    CheckAdapters(model, adapters);
    for (int i = 0; i < model.config().layer_count * lacos::kLinearsInBlock; i++) {
      const int rank = tape->tape->rank(i / lacos::kLinearsInBlock, i % lacos::kLinearsInBlock);
      if (adapters[i].rank != rank) {
        Fail(LACOS_INVALID_ARGUMENT, "adapters[%d].rank is %d; it was %d in the forward pass of this tape.", i,
             adapters[i].rank, rank);
      }
      if (adapters[i].rank > 0 && (gradients[i].a == nullptr || gradients[i].b == nullptr)) {
        Fail(LACOS_INVALID_ARGUMENT, "gradients[%d] has no place for A or for B.", i);
      }
    }
    model.Backward(*tape->tape, adapters, gradient, gradients);
  });
}

void lacos_lora_tape_destroy(lacos_lora_tape* tape) {
  if (tape == nullptr) return;
  tape->pool->Return(std::move(tape->tape));
  delete tape;
}

int64_t lacos_lora_tape_memory(const lacos_lora_tape* tape, int32_t* kept_blocks) {
  if (kept_blocks != nullptr) *kept_blocks = 0;
  if (tape == nullptr) return 0;
  if (kept_blocks != nullptr) {
    for (const lacos::BlockTape& block : tape->tape->blocks()) *kept_blocks += block.kept ? 1 : 0;
  }
  return static_cast<int64_t>(tape->tape->bytes());
}

}  // extern "C"
