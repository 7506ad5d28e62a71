// Divides by zero, and there is no IDT.

.code32
.globl _start
_start:
        mov     $100, %eax
        xor     %edx, %edx
        xor     %ecx, %ecx
        div     %ecx
        hlt
