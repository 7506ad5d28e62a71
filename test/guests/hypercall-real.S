// hypercall.S in 16 bits.
        .code16
#include "hypercall.S"
