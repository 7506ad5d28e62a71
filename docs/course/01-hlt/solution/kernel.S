// Lesson 1, one way to do it.

.code16
.globl _start
_start:
        mov     $42, %ax
        mov     %ax, %bx
        add     %ax, %bx
        hlt
