// refused: mem32[0x8000]=0x6b737564
.code16
.globl _start
_start: xor     %ax, %ax
        mov     %ax, %ds
        int     $0x13
        movl    $0x6b736964, 0x8000
        movl    $0x21646e65, 0xa3fc
        movw    $0x0400, 0x600
        mov     $0x1234, %ax
        cli
        hlt
        .org    510
        .word   0xaa55
        .ascii  "disk"
        .word   0xa099
        .fill   4603, 2, 0x0101
        .ascii  "end!"
        .org    1474560
