// Depends on the clock: a main loop of every kind of slow instruction, and a timer of 5 kHz whose handler
// records where it interrupted, when, and in which iteration of a string instruction. Ends after 300 ticks.
#include "interrupts.h"
.code16
.equ LOG, 0x8000
.equ TICKS, 300
        jmp     begin
.org    0x400                                   // behind the vectors
begin:  xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7000, %sp
        movw    $tick, VECTOR_PIC * 4
        movw    %cs, VECTOR_PIC * 4 + 2
        pic_init 1 << IRQ_TIMER
        pit_init 5000
        mov     $LOG, %bp
        mov     $TICKS, %dx
        mov     $0xACE1, %bx                    // a linear feedback shift register chooses the path
        sti

again:  shr     $1, %bx
        jnc     even
        xor     $0xB400, %bx
        mov     %bx, %cx
        and     $0x3ff, %cx
        mov     $0x4000, %di
        mov     %bl, %al
        rep stosb
        jmp     read
even:   mov     %bl, %cl
        and     $0x1f, %cl
        inc     %cl
        movzx   %cl, %cx
busy:   imul    $77, %si
        add     %cx, %si
        loop    busy
        test    $0xfc, %bh
        jnz     read
        hlt                                     // until the next tick
read:   out     %al, $0x80
        push    %dx
        rdtsc
        xor     %ax, 0x5000
        adc     %dx, 0x5002
        pop     %dx
        test    %dx, %dx
        jnz     again
        cli
        hlt

tick:   pusha
        mov     %sp, %si
        mov     16(%si), %ax                    // the interrupted IP
        mov     %ax, (%bp)
        mov     %cx, 2(%bp)
        rdtsc
        mov     %eax, 4(%bp)
        outp    PORT_PIC, PIC_EOI
        popa
        add     $8, %bp
        dec     %dx
        jns     1f
        xor     %dx, %dx
        sub     $8, %bp
1:      iret
