// Lesson 2, one way to do it.

.code16
.globl _start
_start:
        mov     $0x3fd, %dx             // ports above 0xFF are named by DX
wait:   in      %dx, %al
        test    $1, %al                 // has a byte come in?
        jz      wait
        mov     $0x3f8, %dx
        in      %dx, %al
        mov     %al, (name)             // it goes into the text

        mov     $text, %si
        cld
next:   lodsb
        test    %al, %al
        jz      done
        out     %al, $0xe9
        jmp     next

done:   mov     $3, %al
        out     %al, $0xf4

text:   .ascii  "Hi, "
name:   .asciz  "?!\n"
