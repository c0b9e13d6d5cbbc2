// BLOOM in plain double loops, straight from the definition: what every kernel set is compared with.
#ifndef LACOS_TEST_REFERENCE_ENCODER_H_
#define LACOS_TEST_REFERENCE_ENCODER_H_

#include <vector>

#include "random_model.h"

namespace lacos {

struct ReferenceOptions {
  bool int8 = false;             // quantise the input rows of linear layers
  double outlier_threshold = 0;  // with int8
};

// Final layer norm of every token of one sentence, [tokens, hidden].
std::vector<double> ReferenceTokens(const RandomModel& model, const std::vector<int32_t>& ids,
                                    const ReferenceOptions& options);

// Rows [m, columns] through one linear layer.
std::vector<double> ReferenceLinear(const RandomLinear& linear, const std::vector<double>& x,
                                    const ReferenceOptions& options);

double ReferenceGelu(double x);

}  // namespace lacos

#endif  // LACOS_TEST_REFERENCE_ENCODER_H_
