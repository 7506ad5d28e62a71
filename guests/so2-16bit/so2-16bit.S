// The assignment's first guest: 42 at address 0x400 and in RAX, in 16-bit real mode.

.code16
        mov     $42, %eax
        mov     %eax, 0x400
        hlt
