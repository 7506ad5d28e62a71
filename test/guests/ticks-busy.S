// Counts a timer's ticks, 1,193 clocks apart, at address 0x500 forever, in a busy loop.
#include "interrupts.h"
.code16
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7000, %sp
        movw    $tick, VECTOR_PIC * 4
        movw    %cs, VECTOR_PIC * 4 + 2
        movl    $0, 0x500
        pic_init 1 << IRQ_TIMER
        pit_init 1000
        sti
busy:   nop
        jmp     busy

tick:   push    %ax
        out     %al, $0x80                      // tells a monitor that listens when the tick came
        incl    0x500
        outp    PORT_PIC, PIC_EOI
        pop     %ax
        iret
