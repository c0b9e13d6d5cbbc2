// Included before every file by compilers that would otherwise make one instruction of a product and a sum.
#ifndef LACOS_NO_CONTRACTION_H_
#define LACOS_NO_CONTRACTION_H_

#if defined(_MSC_VER) && !defined(__clang__)
#pragma fp_contract(off)
#endif

#endif  // LACOS_NO_CONTRACTION_H_
