// The upper half of a pointer is garbage.

.code64
.globl _start
_start:
        movabs  $0x8000000000100000, %rbx
        mov     (%rbx), %eax
        hlt
