// Calls a function through a pointer that was never set.

.code32
.globl _start
_start:
        mov     $0x80000000, %eax
        call    *%eax
        hlt
