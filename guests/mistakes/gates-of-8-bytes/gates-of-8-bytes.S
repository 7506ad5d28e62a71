// The IDT has gates of 8 bytes, and long mode's have 16.

.code64
.globl _start
_start:
        lidt    idtr(%rip)
        ud2
        hlt
handler:
        hlt

        .align  8
idt:    .fill   6, 8, 0
        .word   handler - _start, 0x08, 0x8e00, 0x10
        .fill   25, 8, 0x8e0000080000
idtr:   .word   8 * 32 - 1
        .quad   idt
