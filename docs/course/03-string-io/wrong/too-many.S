// refused: mem8[0x640]=0
.code16
.globl _start
_start:
        mov     $0x300, %dx
        mov     $0x600, %di
        mov     $65, %cx
        cld
        rep insb
        hlt
