// LTR takes a data segment.

.code32
.globl _start
_start:
        mov     $0x10, %ax
        ltr     %ax
        hlt
