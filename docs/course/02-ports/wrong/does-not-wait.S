// refused: console="Hi, k!\n"
.code16
.globl _start
_start:
        mov     $'H', %al
        out     %al, $0xe9
        mov     $3, %al
        out     %al, $0xf4
