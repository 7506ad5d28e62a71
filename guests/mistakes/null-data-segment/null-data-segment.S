// DS is cleared, and then memory is read through it.

.code32
.globl _start
_start:
        xor     %eax, %eax
        mov     %ax, %ds
        mov     0x5000, %ebx
        hlt
