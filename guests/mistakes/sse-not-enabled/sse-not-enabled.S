// SSE before CR4.OSFXSR is set.

.code64
.globl _start
_start:
        movaps  %xmm1, %xmm0
        hlt
