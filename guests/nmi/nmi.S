// A non-maskable interrupt comes although interrupts are off, and it comes through vector 2, independent of its sender.

#include "interrupts.h"
#include "ports.h"

.code16
.globl _start
_start:
        cli                                     // masks every interrupt except this one
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7000, %sp
        movw    $handler, VECTOR_NMI * 4
        movw    %cs, VECTOR_NMI * 4 + 2

        xor     %bx, %bx                        // BX counts the NMIs
        mov     $before, %si
        call    print
        outp    PORT_DEBUG_NMI, 0               // presses the button
        cmp     $1, %bx                         // it came between these two instructions
        jne     missed

        mov     $after, %si
        call    print
        hlt

missed: mov     $none, %si
        call    print
        hlt

// While this runs the processor blocks further NMIs; its IRET unblocks them (SDM 3A 7.7.1).
handler:
        inc     %bx
        push    %ax
        push    %si
        mov     $inside, %si
        call    print
        pop     %si
        pop     %ax
        iret

print:  lodsb
        test    %al, %al
        jz      done
        out     %al, $PORT_DEBUG_CONSOLE
        jmp     print
done:   ret

before: .asciz  "interrupts are off\n"
inside: .asciz  "NMI!\n"
after:  .asciz  "back where it came\n"
none:   .asciz  "no NMI came\n"
