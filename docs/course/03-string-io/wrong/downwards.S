// refused: mem[0x600]="sixty-four bytes from a tape that never ends, over and over....."
.code16
.globl _start
_start:
        mov     $0x300, %dx
        mov     $0x600, %di
        mov     $64, %cx
        std
        rep insb
        hlt
