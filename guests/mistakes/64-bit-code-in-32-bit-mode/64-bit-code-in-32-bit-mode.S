// 64-bit code in a 32-bit file: the CPU is still in 32-bit protected mode. The bytes are those of SWAPGS.

.code32
.globl _start
_start:
        .byte   0x0f, 0x01, 0xf8
        hlt
