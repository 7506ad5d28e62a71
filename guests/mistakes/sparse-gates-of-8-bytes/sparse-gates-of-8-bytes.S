// An IDT with one gate of 8 bytes, as 32-bit code has them; long mode looks for 16 bytes elsewhere and finds zeros.

.code64
.globl _start
_start:
        lidt    idtr(%rip)
        int     $0x20
        hlt
handler:
        hlt

        .align  8
idt:    .fill   0x20, 8, 0
        .word   handler - _start, 0x08, 0x8e00, 0x10
        .fill   0x40, 8, 0
idtr:   .word   16 * 0x28 - 1
        .quad   idt
