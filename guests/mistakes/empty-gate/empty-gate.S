// INT3 without a handler: the IDT is there, and its entries are empty.

.code32
.globl _start
_start:
        lidt    idtr
        int3
        hlt
        .align  8
idt:    .fill   32, 8, 0
idtr:   .word   8 * 32 - 1
        .long   idt
