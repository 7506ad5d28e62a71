// Writes through a pointer that was never set, to where nothing is mapped.

.code64
.globl _start
_start:
        mov     $0x123456789000, %rax
        movq    $1, (%rax)
        hlt
