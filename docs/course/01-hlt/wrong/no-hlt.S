// refused: outcome=halted
.code16
.globl _start
_start:
        mov     $42, %ax
        mov     $84, %bx
here:   jmp     here
