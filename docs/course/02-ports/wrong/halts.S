// refused: outcome=exited
.code16
.globl _start
_start:
        mov     $3, %al
        hlt
