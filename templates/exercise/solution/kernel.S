.code16
.globl _start
_start:
        mov     $0x500, %si
        xor     %ax, %ax
        xor     %bx, %bx
next:   mov     (%si), %bl
        add     %bx, %ax
        inc     %si
        test    %bl, %bl
        jnz     next
        hlt
