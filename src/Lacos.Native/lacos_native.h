// The one header of lacos_native: int8 kernels and a whole BLOOM encoder behind plain C.
//
// Conventions
// * Every function that can fail returns a lacos_status; lacos_last_error() then says, for the calling thread, what is
//   wrong, which value was seen and what to do. Nothing is printed, thrown or aborted.
// * A handle may be used from many threads at once. Destroying it while a call runs on it is an error of the caller.
// * A process that is forked while no call runs may go on using its handles: without the threads, which stay behind.
// * A sentence's numbers are the same bits alone, in any batch, in any order and at any thread count.
//   Across instruction sets integer sums are equal; float results may differ in their last bits.
#ifndef LACOS_NATIVE_H_
#define LACOS_NATIVE_H_

#include <stdint.h>

#if defined(_WIN32)
#if defined(LACOS_NATIVE_BUILD)
#define LACOS_API __declspec(dllexport)
#else
#define LACOS_API
#endif
#else
#define LACOS_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

// Raised by every change that an older caller would misread.
#define LACOS_ABI_VERSION 4

typedef int32_t lacos_status;
enum {
  LACOS_OK = 0,
  LACOS_INVALID_ARGUMENT = 1,
  LACOS_OUT_OF_MEMORY = 2,
  LACOS_UNSUPPORTED = 3,  // the instruction set asked for is not built, not in this CPU, or failed its self-check
  LACOS_INTERNAL = 4
};

// Storage of a weight matrix.
enum {
  LACOS_SCHEME_NONE = 0,       // float elements
  LACOS_SCHEME_ROWWISE = 1,    // int8: w = code * (absmax[row] / 127)
  LACOS_SCHEME_BLOCKWISE = 2,  // uint8: w = book[code] * absmax[flat index / block size]
};

// Arithmetic of the linear layers.
enum {
  LACOS_COMPUTE_INT8 = 0,         // row-wise weights only; rows quantised as they come, exact int32 sums
  LACOS_COMPUTE_WEIGHT_ONLY = 1,  // any scheme; dequantised panel by panel, fp32 arithmetic
  LACOS_COMPUTE_FLOAT32 = 2,      // scheme none
};

// Pooling flags; vectors of several are concatenated in this order.
enum {
  LACOS_POOL_FIRST = 1,
  LACOS_POOL_MAX = 2,
  LACOS_POOL_MEAN = 4,
  LACOS_POOL_MEAN_SQRT = 8,
  LACOS_POOL_WEIGHTED_MEAN = 16,
  LACOS_POOL_LAST = 32,
};

// Arithmetic of lacos_int8_linear_backward.
enum {
  LACOS_GRADIENT_INT8 = 0,     // gradient rows quantised as they come, exact int32 sums
  LACOS_GRADIENT_FLOAT32 = 1,  // weights dequantised panel by panel, fp32 arithmetic
};

// What follows the product in lacos_int8_linear_forward.
enum { LACOS_ACTIVATION_NONE = 0, LACOS_ACTIVATION_GELU = 1 };

// How row-wise codes lie that are packed for a kernel set already (lacos_kernel_info): as panels of bytes
// [rows / columns][columns of the matrix / group][columns][group], both quotients rounded up, each byte code ^ flip.
// What pads the last panel and the last group may be anything. columns 0: not packed, row-major.
typedef struct lacos_panels {
  int32_t columns;  // rows of the matrix in a panel, which are columns of the product
  int32_t group;    // columns of the matrix that lie together
  int32_t flip;     // 0 or 128
} lacos_panels;

// A matrix [rows, columns] (out features, in features) in the caller's memory, row-major where it is not in panels.
// Its numbers, and those of biases and layer norms, may lie at any byte.
typedef struct lacos_matrix {
  int32_t scheme;
  int32_t rows;
  int32_t columns;
  int32_t block_size;      // block-wise only
  const void* data;        // float, int8_t or uint8_t elements
  const float* scales;     // absmax: one a row, or one a block
  int64_t scale_count;     // how many there are
  const float* code_book;  // 256 values, block-wise only
  lacos_panels panels;     // row-wise linear layers only
} lacos_matrix;

typedef struct lacos_linear {
  lacos_matrix weight;
  const float* bias;  // [rows]
} lacos_linear;

typedef struct lacos_layer_norm {
  const float* weight;  // [hidden]
  const float* bias;    // [hidden]
} lacos_layer_norm;

typedef struct lacos_block {
  lacos_layer_norm input_layer_norm;
  lacos_linear query_key_value;  // [3 * hidden, hidden], rows as [head, (query, key, value), head size]
  lacos_linear dense;            // [hidden, hidden]
  lacos_layer_norm post_attention_layer_norm;
  lacos_linear dense_h_to_4h;  // [4 * hidden, hidden]
  lacos_linear dense_4h_to_h;  // [hidden, 4 * hidden]
} lacos_block;

typedef struct lacos_model_config {
  int32_t struct_size;  // sizeof(lacos_model_config)
  int32_t hidden_size;
  int32_t layer_count;
  int32_t head_count;
  int32_t vocabulary_size;
  int32_t residual_post_layer_norm;  // 0 or 1
  float layer_norm_epsilon;
  int32_t compute;          // LACOS_COMPUTE_*
  float outlier_threshold;  // LACOS_COMPUTE_INT8: columns of a sentence with any |x| >= this run in fp32; 0 for none
  int32_t thread_count;     // 0: LACOS_NUM_THREADS, else what affinity, CPU quota and DOTNET_PROCESSOR_COUNT allow
  const char* isa;          // name of a kernel set, or NULL: LACOS_FORCE_ISA, else the best that runs here
} lacos_model_config;

typedef struct lacos_model lacos_model;
typedef struct lacos_int8_linear lacos_int8_linear;

LACOS_API int32_t lacos_abi_version(void);

// Message of the last call of this thread that failed; "" if none did. Valid until the thread's next failing call.
LACOS_API const char* lacos_last_error(void);

// Creates a model. Layer norms, biases, scales and code books are copied. In LACOS_COMPUTE_INT8 the linear layers are
// packed into own memory, in parallel, and their elements are not read again, except where they lie in panels of this
// model's kernels, at a multiple of 64 bytes: these are used in place. In the other modes elements are read at every
// encode. The elements of the embedding table are always read at encode. What is read at encode must stay valid and
// unchanged until lacos_model_destroy.
LACOS_API lacos_status lacos_model_create(const lacos_model_config* config, const lacos_matrix* word_embeddings,
                                          const lacos_layer_norm* word_embeddings_layer_norm, const lacos_block* blocks,
                                          const lacos_layer_norm* final_layer_norm, lacos_model** model);

// Accepts NULL.
LACOS_API void lacos_model_destroy(lacos_model* model);

// Name of the kernel set that runs this model; valid as long as the library is loaded.
LACOS_API const char* lacos_model_isa(const lacos_model* model);

// Threads that one encode can use.
LACOS_API int32_t lacos_model_thread_count(const lacos_model* model);

// Bytes of packed weights and copied parameters that the model holds.
LACOS_API int64_t lacos_model_memory(const lacos_model* model);

// What a model makes of tokens that many rows begin with.
typedef struct lacos_prompt lacos_prompt;

// Computes a prompt, at least one token. The model must not have an outlier threshold.
LACOS_API lacos_status lacos_prompt_create(const lacos_model* model, const int32_t* token_ids, int64_t token_count,
                                           lacos_prompt** prompt);

// Accepts NULL. The model may be destroyed before.
LACOS_API void lacos_prompt_destroy(lacos_prompt* prompt);

// Bytes that a prompt holds: 12 * hidden_size a token and layer, and a little.
LACOS_API int64_t lacos_prompt_memory(const lacos_prompt* prompt);

// Encodes a ragged batch. row_offsets: row_count + 1 ascending offsets into token_ids, the first 0, the last
// token_count. pool_from: leading tokens of each row that pooling leaves out, or NULL. dimension: leading elements of
// the pooled vector that are kept, 0 for all. normalize: divide by max(norm, 1e-12). vectors: [row_count, dimension],
// vector_length elements in all. A row without pooled tokens gives zeros. prompt: of this model, or NULL. Leading
// tokens that a row shares with the prompt or with the row before it are not computed again, which changes no bit: rows
// that begin alike should follow one another. With an outlier threshold nothing is shared.
LACOS_API lacos_status lacos_encode(const lacos_model* model, const lacos_prompt* prompt, const int32_t* token_ids,
                                    int64_t token_count, const int32_t* row_offsets, int64_t row_count,
                                    const int32_t* pool_from, int32_t pooling, int32_t dimension, int32_t normalize,
                                    float* vectors, int64_t vector_length);

// Writes the output of the final layer norm of every token, [token_count, hidden_size].
LACOS_API lacos_status lacos_encode_tokens(const lacos_model* model, const int32_t* token_ids, int64_t token_count,
                                           const int32_t* row_offsets, int64_t row_count, float* hidden_states,
                                           int64_t hidden_states_length);

// One linear layer in int8, packed from row-wise weights [rows, columns]; codes and absmax are copied.
// thread_count and isa as in lacos_model_config.
LACOS_API lacos_status lacos_int8_linear_create(int32_t rows, int32_t columns, const int8_t* codes, const float* absmax,
                                                int32_t thread_count, const char* isa, lacos_int8_linear** linear);
LACOS_API void lacos_int8_linear_destroy(lacos_int8_linear* linear);

// output[m, rows] = activation(quantised(input[m, columns]) * W^T + bias) + residual. bias [rows] and residual [m,
// rows] may be NULL. output may be residual, but must not overlap input or bias. outlier_threshold: 0 for none; else
// columns in which any |input| of the m rows reaches it are left out of the int8 product and added in fp32 (LLM.int8).
LACOS_API lacos_status lacos_int8_linear_forward(const lacos_int8_linear* linear, const float* input, int64_t m,
                                                 float outlier_threshold, const float* bias, int32_t activation,
                                                 const float* residual, float* output);

// The gradient of that layer's input, without activation: dx[m, columns] = gradient[m, rows] * W, from the same packed
// weights. mode: LACOS_GRADIENT_*; in int8 the scale of every output goes into the gradient before its row is
// quantised, and the layer may have at most 131072 rows. dx must not overlap gradient. A NaN or an infinity shows in
// its row of dx.
LACOS_API lacos_status lacos_int8_linear_backward(const lacos_int8_linear* linear, const float* gradient, int64_t m,
                                                  int32_t mode, float* dx);

// Training of low-rank adapters over a frozen int8 model, forward and backward, without padding.

typedef struct lacos_lora lacos_lora;
typedef struct lacos_lora_tape lacos_lora_tape;

// One adapter: y += scale * drop(x) A^T B^T. rank 0: none. A [rank, in features], B [out features, rank].
typedef struct lacos_adapter {
  int32_t rank;
  float scale;  // with what the share that dropout keeps asks for
  const float* a;
  const float* b;
} lacos_adapter;

// Where an adapter's gradients go, in the shapes of A and B; not read for rank 0.
typedef struct lacos_adapter_gradient {
  float* a;
  float* b;
} lacos_adapter_gradient;

// A ragged batch as in lacos_encode, at least one token in all. Dropout drops an element of an adapter's input where a
// mix of key, layer, the row's own key, position and feature is below the threshold, from 0 for never to 2^32 - 1.
typedef struct lacos_training_rows {
  const int32_t* token_ids;
  int64_t token_count;
  const int32_t* row_offsets;
  int64_t row_count;
  const int64_t* row_keys;  // [row_count]
  uint64_t dropout_key;
  uint32_t dropout_threshold;
} lacos_training_rows;

// Creates a model without blocks. compute must be LACOS_COMPUTE_INT8, outlier_threshold 0. The elements of the
// embedding table are read at every forward pass; all else is copied.
LACOS_API lacos_status lacos_lora_create(const lacos_model_config* config, const lacos_matrix* word_embeddings,
                                         const lacos_layer_norm* word_embeddings_layer_norm,
                                         const lacos_layer_norm* final_layer_norm, lacos_lora** lora);

// Packs the next block; layer_count of them make the model whole. The block is not read again.
LACOS_API lacos_status lacos_lora_add_block(lacos_lora* lora, const lacos_block* block);

// Accepts NULL. Tapes may be destroyed later.
LACOS_API void lacos_lora_destroy(lacos_lora* lora);

// Writes the output of the final layer norm of every token, [token_count, hidden_size]. adapters: four a block, in the
// order query_key_value, dense, dense_h_to_4h, dense_4h_to_h. tape: what the way back needs, or NULL where there is
// none. activation_bytes: what all tapes of this model may hold of the blocks' activations; blocks beyond it hold their
// input alone and are computed again on the way back. The gradients are the same bits either way.
LACOS_API lacos_status lacos_lora_forward(lacos_lora* lora, const lacos_training_rows* rows,
                                          const lacos_adapter* adapters, int64_t activation_bytes,
                                          lacos_lora_tape** tape, float* hidden_states, int64_t hidden_states_length);

// Writes the gradients of the adapters, four a block, given that of the hidden states. adapters: as in the forward
// pass, unchanged; other ranks are refused. The input gradients of the frozen layers are int8 products as in
// lacos_int8_linear_backward.
LACOS_API lacos_status lacos_lora_backward(lacos_lora* lora, lacos_lora_tape* tape, const lacos_adapter* adapters,
                                           const float* gradient, int64_t gradient_length,
                                           const lacos_adapter_gradient* gradients);

// Gives the tape's memory to the next forward pass. Accepts NULL.
LACOS_API void lacos_lora_tape_destroy(lacos_lora_tape* tape);

// Bytes that a tape takes, and blocks whose activations it holds.
LACOS_API int64_t lacos_lora_tape_memory(const lacos_lora_tape* tape, int32_t* kept_blocks);

// Lets the loops of all models and layers run on the threads of an OpenMP runtime that the process has loaded already,
// named as the dynamic loader knows it (path or soname); NULL or "" for own threads again. To be called where a
// framework with such threads works in turns with this library: two pools that spin would fight for the cores. The
// results are the same bits. LACOS_UNSUPPORTED where no such library is loaded, or on systems other than Linux; own
// threads serve then.
LACOS_API lacos_status lacos_use_openmp(const char* library);

// One set of kernels. Strings are valid as long as the library is loaded.
typedef struct lacos_kernel_info {
  const char* name;         // what LACOS_FORCE_ISA takes
  const char* description;  // what it does
  const char* requirement;  // CPU features it needs, separated by blanks
  const char* gemm;         // name of its int8 matrix kernel
  int32_t is_built;         // compiled into this library
  int32_t is_supported;     // the CPU and the operating system have what it needs
  int32_t is_default;       // what a model gets when nothing is forced
  const char* state;        // in words: chosen, usable, or why it cannot run
  lacos_panels panels;      // what it uses in place; columns 0 where it is not built
} lacos_kernel_info;

LACOS_API int32_t lacos_kernel_count(void);
LACOS_API lacos_status lacos_kernel_get(int32_t index, lacos_kernel_info* info);

// Brand string of the CPU, and the features found that a kernel here can use, separated by blanks.
LACOS_API const char* lacos_cpu_name(void);
LACOS_API const char* lacos_cpu_features(void);

// Threads a model gets when none are asked for, and why.
LACOS_API int32_t lacos_default_thread_count(const char** reason);

// Integer operations a second (2 for each multiply-add) that the multiply-add instruction of a kernel set reaches from
// registers: the yardstick of benchmarks. isa as in lacos_model_config; LACOS_UNSUPPORTED where there is no such loop.
LACOS_API lacos_status lacos_measure_int8_peak(const char* isa, int32_t thread_count, double seconds,
                                               double* operations);

#ifdef __cplusplus
}
#endif

#endif  // LACOS_NATIVE_H_
