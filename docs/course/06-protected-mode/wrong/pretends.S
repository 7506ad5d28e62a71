// refused: mem32[0x180000]=0x12345678
.code16
.globl _start
_start:
        cli
        mov     $0xffff, %ax            // real mode reaches 64 KiB above 1 MiB, less 16 bytes
        mov     %ax, %es
        movl    $0x12345678, %es:(0x10)
        mov     $16, %ax
        mov     %ax, %ds
        ljmp    $8, $(here - 0x80)

.org    0x100                           // CS:0 is 0x80
here:   hlt
