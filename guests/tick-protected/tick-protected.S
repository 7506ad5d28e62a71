// Ten ticks of a timer in protected mode: an interrupt descriptor table with one gate, and a handler that ends in IRET.

#include "interrupts.h"
#include "ports.h"

#define CODE_SELECTOR 0x08                      // the value of CS at the start

.code32
.globl _start
_start:
        // A gate's two halves of the handler's address are apart: put in the high one (SDM 3A 7.11).
        mov     $tick, %eax
        mov     %ax, idt + VECTOR_PIC * 8
        shr     $16, %eax
        mov     %ax, idt + VECTOR_PIC * 8 + 6
        lidt    idtr

        pic_init 1 << IRQ_TIMER
        pit_init 100

        xor     %ebx, %ebx                      // EBX counts the ticks
        sti
sleep:  hlt                                     // until an interrupt comes
        cmp     $10, %ebx
        jb      sleep

        cli                                     // a HLT without interrupts is a guest's end
        hlt

// The processor pushed EFLAGS, CS and EIP, and the gate switched interrupts off. IRET takes all three back.
tick:   push    %eax
        cmp     $10, %ebx                       // where the host is late, more are due before the loop has looked
        jae     served
        mov     $text, %esi
next:   lodsb
        out     %al, $PORT_DEBUG_CONSOLE
        cmp     $' ', %al
        jne     next
        mov     %bl, %al
        add     $'0', %al
        out     %al, $PORT_DEBUG_CONSOLE
        outp    PORT_DEBUG_CONSOLE, '\n'
        inc     %ebx

served: outp    PORT_PIC, PIC_EOI               // without this the line would not interrupt again
        pop     %eax
        iret

text:   .ascii  "tick "

.balign 8
idt:    .fill   VECTOR_PIC, 8, 0                // the processor's own vectors: a fault here is a triple fault
        .word   0, CODE_SELECTOR, 0x8e00, 0     // present, ring 0, a 32-bit interrupt gate
idtr:   .word   idtr - idt - 1
        .long   idt
