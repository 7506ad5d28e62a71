// refused: The sum needs 16 bits
.code16
.globl _start
_start:
        mov     $0x500, %si
        xor     %ax, %ax
next:   mov     (%si), %bl
        add     %bl, %al
        inc     %si
        test    %bl, %bl
        jnz     next
        hlt
