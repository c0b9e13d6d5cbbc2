// The C boundary: checks arguments, turns errors into statuses. Nothing else decides anything here.
#include "lacos_native.h"

#include "boundary.h"
#include "int8_layer.h"
#include "kernel_selection.h"
#include "loop_threads.h"
#include "model.h"
#include "thread_count.h"
#include "token_check.h"

struct lacos_model {
  lacos::Model model;
};

struct lacos_prompt {
  lacos::Prompt prompt;
};

struct lacos_int8_linear {
  lacos::Int8Layer layer;
};

namespace {

using lacos::Fail;
using lacos::Guard;
using lacos::NotNull;

lacos::TokenBatch CheckBatch(const lacos_model* model, const int32_t* ids, int64_t token_count, const int32_t* offsets,
                             int64_t rows) {
  NotNull(model, "model");
  return lacos::CheckTokens(model->model.vocabulary(), model->model.heads(), ids, token_count, offsets, rows);
}

}  // namespace

extern "C" {

lacos_status lacos_model_create(const lacos_model_config* config, const lacos_matrix* word_embeddings,
                                const lacos_layer_norm* word_embeddings_layer_norm, const lacos_block* blocks,
                                const lacos_layer_norm* final_layer_norm, lacos_model** model) {
  return Guard([&] {
    NotNull(model, "model");
    *model = nullptr;
    NotNull(config, "config");
    NotNull(word_embeddings, "word_embeddings");
    NotNull(word_embeddings_layer_norm, "word_embeddings_layer_norm");
    NotNull(blocks, "blocks");
    NotNull(final_layer_norm, "final_layer_norm");
    if (config->struct_size != static_cast<int32_t>(sizeof *config)) {
      Fail(LACOS_INVALID_ARGUMENT, "struct_size is %d; this library's lacos_model_config has %d bytes.",
           config->struct_size, static_cast<int>(sizeof *config));
    }
    *model = new lacos_model{{*config, *word_embeddings, *word_embeddings_layer_norm, blocks, *final_layer_norm}};
  });
}

void lacos_model_destroy(lacos_model* model) { delete model; }

const char* lacos_model_isa(const lacos_model* model) { return model == nullptr ? "" : model->model.kernels().name; }

int32_t lacos_model_thread_count(const lacos_model* model) {
  return model == nullptr ? 0 : model->model.thread_count();
}

int64_t lacos_model_memory(const lacos_model* model) {
  return model == nullptr ? 0 : static_cast<int64_t>(model->model.bytes());
}

lacos_status lacos_prompt_create(const lacos_model* model, const int32_t* token_ids, int64_t token_count,
                                 lacos_prompt** prompt) {
  return Guard([&] {
    NotNull(prompt, "prompt");
    *prompt = nullptr;
    if (token_count < 1 || token_count > INT32_MAX) {
      Fail(LACOS_INVALID_ARGUMENT, "token_count is %lld; a prompt has from 1 to 2^31 - 1 tokens.",
           static_cast<long long>(token_count));
    }
    const int32_t offsets[] = {0, static_cast<int32_t>(token_count)};
    CheckBatch(model, token_ids, token_count, offsets, 1);
    *prompt = new lacos_prompt{{model->model, token_ids, static_cast<int>(token_count)}};
  });
}

void lacos_prompt_destroy(lacos_prompt* prompt) { delete prompt; }

int64_t lacos_prompt_memory(const lacos_prompt* prompt) {
  return prompt == nullptr ? 0 : static_cast<int64_t>(prompt->prompt.bytes());
}

lacos_status lacos_encode(const lacos_model* model, const lacos_prompt* prompt, const int32_t* token_ids,
                          int64_t token_count, const int32_t* row_offsets, int64_t row_count, const int32_t* pool_from,
                          int32_t pooling, int32_t dimension, int32_t normalize, float* vectors,
                          int64_t vector_length) {
  return Guard([&] {
    lacos::TokenBatch batch = CheckBatch(model, token_ids, token_count, row_offsets, row_count);
    if (prompt != nullptr) {
      if (!prompt->prompt.IsOf(model->model.id())) Fail(LACOS_INVALID_ARGUMENT, "The prompt is that of another model.");
      batch.prompt = &prompt->prompt;
    }
    if (pooling <= 0 || pooling >= 2 * LACOS_POOL_LAST) {
      Fail(LACOS_INVALID_ARGUMENT, "pooling is %d; it must be one or more of the flags 1 to 32.", pooling);
    }
    const int full = lacos::PoolingModeCount(pooling) * model->model.hidden();
    if (dimension < 0 || dimension > full) {
      Fail(LACOS_INVALID_ARGUMENT, "dimension is %d; it must be from 0 (all) to %d.", dimension, full);
    }
    const int kept = dimension == 0 ? full : dimension;
    if (vector_length != row_count * kept) {
      Fail(LACOS_INVALID_ARGUMENT, "vector_length is %lld; %lld rows of %d elements need %lld.",
           static_cast<long long>(vector_length), static_cast<long long>(row_count), kept,
           static_cast<long long>(row_count * kept));
    }
    if (row_count > 0) NotNull(vectors, "vectors");
    for (int64_t i = 0; pool_from != nullptr && i < row_count; i++) {
      if (pool_from[i] < 0) {
        Fail(LACOS_INVALID_ARGUMENT, "pool_from[%lld] is %d; it must not be negative.", static_cast<long long>(i),
             pool_from[i]);
      }
    }
    model->model.Encode(batch, pool_from, {pooling, model->model.hidden(), kept, normalize != 0}, vectors, nullptr);
  });
}

lacos_status lacos_encode_tokens(const lacos_model* model, const int32_t* token_ids, int64_t token_count,
                                 const int32_t* row_offsets, int64_t row_count, float* hidden_states,
                                 int64_t hidden_states_length) {
  return Guard([&] {
    const lacos::TokenBatch batch = CheckBatch(model, token_ids, token_count, row_offsets, row_count);
    const int64_t expected = token_count * model->model.hidden();
    if (hidden_states_length != expected) {
      Fail(LACOS_INVALID_ARGUMENT, "hidden_states_length is %lld; %lld tokens need %lld.",
           static_cast<long long>(hidden_states_length), static_cast<long long>(token_count),
           static_cast<long long>(expected));
    }
    if (token_count == 0) return;
    NotNull(hidden_states, "hidden_states");
    model->model.Encode(batch, nullptr, {}, nullptr, hidden_states);
  });
}

lacos_status lacos_int8_linear_create(int32_t rows, int32_t columns, const int8_t* codes, const float* absmax,
                                      int32_t thread_count, const char* isa, lacos_int8_linear** linear) {
  return Guard([&] {
    NotNull(linear, "linear");
    *linear = nullptr;
    constexpr int kMaximumRows = 1 << 28;
    if (rows < 1 || rows > kMaximumRows || columns < 1 || columns > lacos::kMaximumColumns || thread_count < 0 ||
        thread_count > lacos::kMaximumThreads) {
      Fail(LACOS_INVALID_ARGUMENT,
           "A linear layer of %d x %d with %d threads is not possible: rows from 1 to %d, columns from 1 to %d, "
           "threads from 0 to %d.",
           rows, columns, thread_count, kMaximumRows, lacos::kMaximumColumns, lacos::kMaximumThreads);
    }
    NotNull(codes, "codes");
    NotNull(absmax, "absmax");
    const lacos::KernelSet& kernels = lacos::SelectKernels(isa);
    const lacos::WeightView weight({LACOS_SCHEME_ROWWISE, rows, columns, 0, codes, absmax, rows, nullptr, {}}, rows,
                                   columns, "codes", -1);
    const int threads = thread_count > 0 ? thread_count : lacos::DefaultThreadCount().count;
    *linear = new lacos_int8_linear{{kernels, weight, threads}};
  });
}

void lacos_int8_linear_destroy(lacos_int8_linear* linear) { delete linear; }

lacos_status lacos_int8_linear_forward(const lacos_int8_linear* linear, const float* input, int64_t m,
                                       float outlier_threshold, const float* bias, int32_t activation,
                                       const float* residual, float* output) {
  return Guard([&] {
    NotNull(linear, "linear");
    if (m < 0 || m > (1 << 24)) {
      Fail(LACOS_INVALID_ARGUMENT, "m is %lld; it must be from 0 to 2^24.", static_cast<long long>(m));
    }
    if (activation != LACOS_ACTIVATION_NONE && activation != LACOS_ACTIVATION_GELU) {
      Fail(LACOS_INVALID_ARGUMENT, "activation is %d; known are 0 (none) and 1 (GELU).", activation);
    }
    if (!(outlier_threshold >= 0)) {
      Fail(LACOS_INVALID_ARGUMENT, "outlier_threshold is %g; it must not be negative, 0 for none.",
           static_cast<double>(outlier_threshold));
    }
    if (m == 0) return;
    NotNull(input, "input");
    NotNull(output, "output");
    const_cast<lacos_int8_linear*>(linear)->layer.Run(input, static_cast<int>(m), outlier_threshold, bias,
                                                      activation == LACOS_ACTIVATION_GELU, residual, output);
  });
}

lacos_status lacos_int8_linear_backward(const lacos_int8_linear* linear, const float* gradient, int64_t m, int32_t mode,
                                        float* dx) {
  return Guard([&] {
    NotNull(linear, "linear");
    if (m < 0 || m > (1 << 24)) {
      Fail(LACOS_INVALID_ARGUMENT, "m is %lld; it must be from 0 to 2^24.", static_cast<long long>(m));
    }
    if (mode != LACOS_GRADIENT_INT8 && mode != LACOS_GRADIENT_FLOAT32) {
      Fail(LACOS_INVALID_ARGUMENT, "mode is %d; known are 0 (int8) and 1 (fp32).", mode);
    }
    if (m == 0) return;
    NotNull(gradient, "gradient");
    NotNull(dx, "dx");
    const_cast<lacos_int8_linear*>(linear)->layer.RunBackward(gradient, static_cast<int>(m),
                                                              mode == LACOS_GRADIENT_FLOAT32, dx);
  });
}

lacos_status lacos_use_openmp(const char* library) {
  return Guard([&] { lacos::ShareOpenMp(library); });
}

}  // extern "C"
