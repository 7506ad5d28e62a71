// refused: exits<=3
.code16
.globl _start
_start:
        mov     $0x300, %dx
        mov     $0x600, %di
        mov     $64, %cx
again:  in      %dx, %al
        stosb
        loop    again
        hlt
