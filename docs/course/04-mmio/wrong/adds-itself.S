// refused: exits=4
.code16
.globl _start
_start:
        mov     $123456, %eax
        mov     %eax, (0x600)
        hlt
