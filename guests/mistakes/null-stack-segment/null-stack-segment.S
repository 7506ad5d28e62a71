// SS is loaded with 0.

.code32
.globl _start
_start:
        xor     %eax, %eax
        mov     %ax, %ss
        hlt
