# Something to debug in real mode: calls, an interrupt of its own, a counter in memory, a line on the console.
        .code16
        .globl  _start
_start: xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7c00, %sp
        movw    $print, 0x40 * 4
        mov     %cs, 0x40 * 4 + 2
        mov     $3, %bx
again:  call    count
        dec     %bx
        jnz     again
        int     $0x40
        cli
        hlt

count:  push    %bx
        incw    counter
        pop     %bx
        ret

print:  mov     $text, %si
next:   lodsb
        test    %al, %al
        jz      done
        out     %al, $0xe9
        jmp     next
done:   iret

        .balign 16
counter: .word  0x41
text:   .asciz  "counted\n"
