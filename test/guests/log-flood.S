// Logs endlessly, as fast as it can.
        .code16
#include "hypercall.h"
_start: hypercall log
        jmp     _start

text:   .fill   1000, 1, 'x'
        .balign 8
log:    hypercall_block HYPERCALL_LOG, text, 1000
