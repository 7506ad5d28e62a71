// EDX was not cleared before the division: the quotient does not fit.

.code32
.globl _start
_start:
        mov     $100, %eax
        mov     $7, %edx
        mov     $7, %ecx
        div     %ecx
        hlt
