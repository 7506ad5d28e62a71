// refused: bx=84
.code16
.globl _start
_start:
        mov     $42, %ax
        mov     %ax, %bx
        hlt
