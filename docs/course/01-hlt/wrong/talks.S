// refused: exits=1
.code16
.globl _start
_start:
        mov     $42, %ax
        mov     $84, %bx
        out     %al, $0xe9
        hlt
