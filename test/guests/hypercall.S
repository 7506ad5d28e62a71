// Hypercalls by the macros of hypercall.h, in 32 or 64 bits as the mode says; hypercall-real.S is the same in 16.
#include "hypercall.h"

_start:
        hypercall hello
        hypercall unknown
        mov     %eax, %ebx
        hypercall own
        mov     own + HYPERCALL_RESULT, %al
        mov     %al, exit + HYPERCALL_ARGS
        hypercall exit
        hlt

text:   .ascii  "by hypercall\n"
text_end:
        .balign 8
hello:  hypercall_block HYPERCALL_WRITE, text, text_end-text
unknown: hypercall_block 63
own:    hypercall_block HYPERCALL_FIRST_OWN, 1, 2, 3, 4
exit:   hypercall_block HYPERCALL_EXIT
