// INT 0x80, and the IDT has 32 entries.

.code32
.globl _start
_start:
        lidt    idtr
        mov     $1, %eax
        int     $0x80
        hlt
        .align  8
idt:    .fill   32, 8, 0
idtr:   .word   8 * 32 - 1
        .long   idt
