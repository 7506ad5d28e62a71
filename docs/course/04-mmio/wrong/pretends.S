// refused: eax=124456
.code16
.globl _start
_start:
        mov     $0xd000, %ax
        mov     %ax, %ds
        movl    $100000, (0)
        movl    $23456, (4)
        mov     (8), %eax
        mov     $123456, %eax
        mov     %eax, %es:(0x600)
        hlt
