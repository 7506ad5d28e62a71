// CS cannot be loaded with MOV (8E C8): assemblers refuse it, so here are the bytes.

.code32
.globl _start
_start:
        mov     $0x08, %ax
        .byte   0x8e, 0xc8
        hlt
