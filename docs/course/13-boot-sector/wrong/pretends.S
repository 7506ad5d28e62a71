// refused: mem16[0x602]=512
.code16
.globl _start
_start: xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $_start, %sp
        mov     $text, %si
next:   lodsb
        test    %al, %al
        jz      done
        mov     $0x0e, %ah
        mov     $7, %bx
        int     $0x10
        jmp     next
done:   movw    $0x256b, 0x600
        movw    $639, 0x602
        cli
        hlt
text:   .asciz  "Which key? k"
        .org    510
        .word   0xaa55
