// Lesson 5. A timer interrupts 100 times a second. interrupts.h, which Terrarium finds by itself, has macros that
// initialize the controllers and the timer; open it: terrarium lists it in guests/include.
//
//   1. Write the handler: add 1 to the word at 0x600, write a dot to port 0xE9, tell the controller that you are done
//      (PIC_EOI to PORT_PIC), and return with IRET.
//   2. End after five ticks.

#include "interrupts.h"

.code16
.globl _start
_start:
        cli
        mov     $0x7000, %sp
        movw    $tick, VECTOR_PIC * 4   // the interrupt vector table is at address 0: offset, then segment
        movw    %cs, VECTOR_PIC * 4 + 2
        pic_init 1 << IRQ_TIMER
        pit_init 100
        sti
sleep:  hlt                             // until an interrupt comes
        cli
        hlt                             // your code: not after the first one

tick:   iret                            // your code
