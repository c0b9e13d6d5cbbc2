// Packed weights as the way back needs them: the same bytes, with outputs where the forward panels have columns.
#ifndef LACOS_PANEL_TRANSPOSE_H_
#define LACOS_PANEL_TRANSPOSE_H_

#include "kernel.h"

namespace lacos {

// panel: one forward panel [k / k_group][NR outputs][k_group columns], from the group of column `first` on, which is a
// multiple of NR. to: the NR outputs of that panel as groups [NR / k_group][NR columns][k_group outputs], so that the
// kernel's own tile sums over outputs. columns, from 1 to NR: those that the panel still has, rounded up to whole
// groups; the others are set to zero codes.
void TransposePanel(const Int8GemmKernel& kernel, const uint8_t* panel, int columns, uint8_t* to);

// Begins to load what a later TransposePanel will read.
void FetchPanel(const Int8GemmKernel& kernel, const uint8_t* panel, int columns);

}  // namespace lacos

#endif  // LACOS_PANEL_TRANSPOSE_H_
