// Counts a timer's ticks, 1,193 clocks apart, at address 0x500 forever, while a program in ring 3 is busy: each tick enters
// ring 0 through a gate, on the stack that the TSS names, and IRETQ goes back.
#include "interrupts.h"
.code64
.globl _start
_start:
        lea     tick(%rip), %rax
        mov     %ax, idt + VECTOR_PIC * 16(%rip)
        shr     $16, %rax
        mov     %ax, idt + VECTOR_PIC * 16 + 6(%rip)
        lidt    idtr(%rip)

        // RSP0 of the TSS that this started with: its base is in pieces in the GDT's descriptor at 0x28.
        sgdt    gdtr(%rip)
        mov     gdtr + 2(%rip), %rbx
        movzbl  0x28 + 7(%rbx), %eax
        shl     $8, %eax
        movb    0x28 + 4(%rbx), %al
        shl     $16, %eax
        movw    0x28 + 2(%rbx), %ax
        lea     stack_end(%rip), %rcx
        mov     %rcx, 4(%rax)

        movl    $0, 0x500
        pic_init 1 << IRQ_TIMER
        pit_init 1000

        push    $0x1b                           // SS: ring 3's data
        lea     user_stack_end(%rip), %rax
        push    %rax
        push    $0x202                          // RFLAGS with interrupts on
        push    $0x23                           // CS: ring 3's code
        lea     busy(%rip), %rax
        push    %rax
        iretq

busy:   nop
        jmp     busy

tick:   push    %rax
        out     %al, $0x80                      // tells a monitor that listens when the tick came
        incl    0x500
        outp    PORT_PIC, PIC_EOI
        pop     %rax
        iretq

.balign 16
idt:    .fill   VECTOR_PIC * 2, 8, 0
        .word   0, 0x08, 0x8e00, 0
        .quad   0
idtr:   .word   idtr - idt - 1
        .quad   idt
gdtr:   .word   0
        .quad   0
.balign 16
        .fill   1024
stack_end:
        .fill   1024
user_stack_end:
