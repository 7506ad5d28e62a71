// Ten ticks of a timer in 64-bit long mode: an interrupt descriptor table of 16-byte gates, and a handler that ends in
// IRETQ.

#include "interrupts.h"
#include "ports.h"

#define CODE_SELECTOR 0x08                      // the value of CS at the start

.code64
.globl _start
_start:
        // A gate's handler address is in three pieces: put in the two lower ones, the upper is 0 (SDM 3A 7.14.1).
        lea     tick(%rip), %rax
        mov     %ax, idt + VECTOR_PIC * 16(%rip)
        shr     $16, %rax
        mov     %ax, idt + VECTOR_PIC * 16 + 6(%rip)
        lidt    idtr(%rip)

        pic_init 1 << IRQ_TIMER
        pit_init 100

        xor     %ebx, %ebx                      // RBX counts the ticks
        sti
sleep:  hlt                                     // until an interrupt comes
        cmp     $10, %ebx
        jb      sleep

        cli                                     // a HLT without interrupts is a guest's end
        hlt

// The processor pushed SS, RSP, RFLAGS, CS and RIP, and the gate switched interrupts off. IRETQ takes all five back.
tick:   push    %rax
        cmp     $10, %ebx                       // where the host is late, more are due before the loop has looked
        jae     served
        lea     text(%rip), %rsi
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
        pop     %rax
        iretq

text:   .ascii  "tick "

.balign 16
idt:    .fill   VECTOR_PIC * 2, 8, 0            // the processor's own vectors: a fault here is a triple fault
        .word   0, CODE_SELECTOR, 0x8e00, 0     // present, ring 0, an interrupt gate; no stack of its own
        .quad   0
idtr:   .word   idtr - idt - 1
        .quad   idt
