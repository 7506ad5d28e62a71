// Line 5 is level-triggered, its handler ends every interrupt and never makes the line fall: the next one comes at once.
// Counts them at address 0x500.
#include "interrupts.h"
.code16
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7000, %sp
        movw    $handler, (VECTOR_PIC + 5) * 4
        movw    %cs, (VECTOR_PIC + 5) * 4 + 2
        movl    $0, 0x500
        pic_init 1 << 5
        mov     $0x4d0, %dx
        mov     $1 << 5, %al
        out     %al, %dx
        sti
sleep:  hlt
        jmp     sleep

handler:
        push    %ax
        incl    0x500
        outp    PORT_PIC, PIC_EOI
        pop     %ax
        iret
