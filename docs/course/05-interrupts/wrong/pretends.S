// refused: mem16[0x600]=0
.code16
.globl _start
_start:
        mov     $5, %cx
        mov     $'.', %al
next:   out     %al, $0xe9
        incw    0x600
        loop    next
        cli
        hlt
        sti
        iret
