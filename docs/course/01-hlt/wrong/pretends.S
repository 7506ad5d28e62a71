// refused: bx=2000
.code16
.globl _start
_start:
        mov     $42, %ax
        mov     $84, %bx
        add     $0, %bx
        hlt
