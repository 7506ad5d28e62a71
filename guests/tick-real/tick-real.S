// Ten ticks of a timer in real mode: an interrupt vector table, a handler, and a processor that sleeps in between.

#include "interrupts.h"
#include "ports.h"

.code16
.globl _start
_start:
        cli                                     // no interrupts while half of this is set up
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7000, %sp

        // The interrupt vector table is at address 0: four bytes a vector, offset then segment.
        movw    $tick, VECTOR_PIC * 4
        movw    %cs, VECTOR_PIC * 4 + 2

        pic_init 1 << IRQ_TIMER
        pit_init 100

        xor     %bx, %bx                        // BX counts the ticks
        sti
sleep:  hlt                                     // until an interrupt comes
        cmp     $10, %bx
        jb      sleep

        cli                                     // a HLT without interrupts is a guest's end
        hlt

// The processor pushed FLAGS, CS and IP, and switched interrupts off. IRET takes all three back.
tick:   push    %ax
        cmp     $10, %bx                        // where the host is late, more are due before the loop has looked
        jae     served
        mov     $text, %si
next:   lodsb
        out     %al, $PORT_DEBUG_CONSOLE
        cmp     $' ', %al
        jne     next
        mov     %bl, %al
        add     $'0', %al
        out     %al, $PORT_DEBUG_CONSOLE
        outp    PORT_DEBUG_CONSOLE, '\n'
        inc     %bx

served: outp    PORT_PIC, PIC_EOI               // without this the line would not interrupt again
        pop     %ax
        iret

text:   .ascii  "tick "
