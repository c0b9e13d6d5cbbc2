// Unsigned activations by signed weights, the product that every one of oneDNN's int8 paths has. The whole input shares
// one scale, as quantisation at run time is usually done with oneDNN: less work than a scale a row, and less exact.
#include "onednn_linear.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <vector>

namespace {

using dnnl::memory;
using Type = memory::data_type;
using Tag = memory::format_tag;

thread_local std::string last_error;

// Without VNNI pairs of products are added in 16 bits: with 7 bits of activation they cannot overflow.
bool AddsInSixteenBits() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
    case dnnl::cpu_isa::avx:
    case dnnl::cpu_isa::avx2:
    case dnnl::cpu_isa::avx512_core:
      return true;
    default:
      return false;
  }
}

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// How the product may be set up; which one is fastest depends on shape and instruction set.
struct Plan {
  Tag weights;        // any: as oneDNN likes it
  bool scales_later;  // scales given with each call; else those of the weights are fixed and post-operations follow
};

}  // namespace

struct onednn_linear {
  int n, k, m, threads;
  int zero_point = AddsInSixteenBits() ? 64 : 128;
  float steps = AddsInSixteenBits() ? 63.0f : 127.0f;
  std::vector<float> weight_scales, bias, zero_point_sums;  // sums: zero point times the sum of a row of codes
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  Plan plan{};
  dnnl::matmul::primitive_desc description;
  dnnl::matmul product;
  std::vector<memory> weights;
  std::vector<uint8_t> input;
  std::vector<float> call_scales, call_bias;
  float call_scale = 1;
  std::string kernel;

  onednn_linear(int n, int k, int m, const int8_t* codes, const float* absmax, const float* bias, int threads)
      : n(n),
        k(k),
        m(m),
        threads(threads),
        bias(bias, bias + n),
        input(static_cast<size_t>(m) * k),
        call_scales(n),
        call_bias(n) {
    for (int row = 0; row < n; row++) {
      int sum = 0;
      for (int i = 0; i < k; i++) sum += codes[static_cast<size_t>(row) * k + i];
      weight_scales.push_back(absmax[row] / 127);
      zero_point_sums.push_back(static_cast<float>(zero_point) * static_cast<float>(sum));
    }
  }

  memory::desc Row() const { return {{1, n}, Type::f32, Tag::ab}; }

  void Use(Plan chosen, int copies, const int8_t* codes) {
    plan = chosen;
    dnnl::primitive_attr attributes;
    if (plan.scales_later) {
      attributes.set_output_scales(1 << 1, {DNNL_RUNTIME_F32_VAL});
    } else {
      attributes.set_output_scales(1 << 1, weight_scales);
      dnnl::post_ops after;
      after.append_binary(dnnl::algorithm::binary_mul, {{1, 1}, Type::f32, Tag::ab});
      after.append_binary(dnnl::algorithm::binary_add, Row());
      attributes.set_post_ops(after);
    }
    const memory::desc x({m, k}, Type::u8, Tag::ab), w({k, n}, Type::s8, plan.weights), y({m, n}, Type::f32, Tag::ab);
    const dnnl::matmul::desc operation =
        plan.scales_later ? dnnl::matmul::desc(x, w, Row(), y) : dnnl::matmul::desc(x, w, y);
    description = {operation, attributes, engine};
    product = dnnl::matmul(description);
    kernel = description.impl_info_str();
    memory plain({{k, n}, Type::s8, Tag::ba}, engine, const_cast<int8_t*>(codes));
    weights.clear();
    for (int copy = 0; copy < copies; copy++) {
      weights.emplace_back(description.weights_desc(), engine);
      dnnl::reorder(plain, weights.back()).execute(stream, plain, weights.back());
    }
    stream.wait();
  }

  void Forward(int copy, const float* x, float* y) {
    omp_set_num_threads(threads);
    const long count = static_cast<long>(m) * k;
    float largest = 0;
#pragma omp parallel for simd reduction(max : largest) if (m > 1)
    for (long i = 0; i < count; i++) largest = std::max(largest, std::abs(x[i]));
    const float scale = largest > 0 ? largest / steps : 1;
    const float inverse = 1 / scale, middle = static_cast<float>(zero_point) + 0.5f;
#pragma omp parallel for simd if (m > 1)
    for (long i = 0; i < count; i++) input[i] = static_cast<uint8_t>(static_cast<int>(x[i] * inverse + middle));

    memory source({{m, k}, Type::u8, Tag::ab}, engine, input.data());
    memory target({{m, n}, Type::f32, Tag::ab}, engine, y), row(Row(), engine, call_bias.data());
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, weights[copy]}, {DNNL_ARG_DST, target}};
    if (plan.scales_later) {
      // oneDNN adds the bias before it scales.
      for (int i = 0; i < n; i++) {
        call_scales[i] = weight_scales[i] * scale;
        call_bias[i] = bias[i] / call_scales[i] - zero_point_sums[i];
      }
      arguments.emplace(DNNL_ARG_BIAS, row);
      arguments.emplace(DNNL_ARG_ATTR_OUTPUT_SCALES, memory({{n}, Type::f32, Tag::a}, engine, call_scales.data()));
    } else {
      for (int i = 0; i < n; i++) call_bias[i] = bias[i] - zero_point_sums[i] * weight_scales[i] * scale;
      call_scale = scale;
      arguments.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1,
                        memory({{1, 1}, Type::f32, Tag::ab}, engine, &call_scale));
      arguments.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(1) | DNNL_ARG_SRC_1, row);
    }
    product.execute(stream, arguments);
    stream.wait();
  }

  double Fastest(const float* x, float* y) {
    double best = 1e9;
    for (int trial = 0; trial < 4; trial++) {
      const double start = Seconds();
      Forward(0, x, y);
      best = std::min(best, Seconds() - start);
    }
    return best;
  }
};

extern "C" {

const char* onednn_linear_version(void) {
  static const std::string version = [] {
    const dnnl_version_t* v = dnnl_version();
    return std::to_string(v->major) + '.' + std::to_string(v->minor) + '.' + std::to_string(v->patch);
  }();
  return version.c_str();
}

const char* onednn_linear_error(void) { return last_error.c_str(); }

onednn_linear* onednn_linear_create(int32_t n, int32_t k, int32_t m, int32_t copies, const int8_t* codes,
                                    const float* absmax, const float* bias, int32_t threads) {
  try {
    omp_set_num_threads(threads);
    auto linear = std::make_unique<onednn_linear>(n, k, m, codes, absmax, bias, threads);
    const std::vector<float> x(static_cast<size_t>(m) * k, 1.0f);
    std::vector<float> y(static_cast<size_t>(m) * n);
    Plan best{};
    double least = 1e9;
    for (const Plan plan : {Plan{Tag::any, true}, {Tag::any, false}, {Tag::ba, true}, {Tag::ba, false}}) {
      try {
        linear->Use(plan, 1, codes);
        const double seconds = linear->Fastest(x.data(), y.data());
        if (seconds < least) {
          least = seconds;
          best = plan;
        }
      } catch (const dnnl::error& error) {
        last_error = error.what();  // this version has no such product
      }
    }
    if (least == 1e9) return nullptr;
    linear->Use(best, copies, codes);
    return linear.release();
  } catch (const std::exception& error) {
    last_error = error.what();
    return nullptr;
  }
}

int32_t onednn_linear_forward(onednn_linear* linear, int32_t copy, const float* x, float* y) {
  try {
    linear->Forward(copy, x, y);
    return 0;
  } catch (const std::exception& error) {
    last_error = error.what();
    return 1;
  }
}

const char* onednn_linear_kernel(const onednn_linear* linear) { return linear->kernel.c_str(); }

void onednn_linear_destroy(onednn_linear* linear) { delete linear; }

}  // extern "C"
