// refused: The guest did not end
.code16
.globl _start
_start:
        jmp     _start
