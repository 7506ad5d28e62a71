// refused: exits=4
.code16
.globl _start
_start:
        mov     $0xd000, %ax
        mov     %ax, %ds
        movw    $(100000 & 0xffff), (0)
        movw    $(100000 >> 16), (2)
        movl    $23456, (4)
        mov     (8), %eax
        mov     %eax, %es:(0x600)
        hlt
