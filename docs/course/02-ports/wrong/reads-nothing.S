// refused: console="Hi, Z!\n"
.code16
.globl _start
_start:
        mov     $text, %si
next:   lodsb
        out     %al, $0xe9
        cmp     $'\n', %al
        jne     next
        mov     $3, %al
        out     %al, $0xf4
text:   .ascii  "Hi, k!\n"
