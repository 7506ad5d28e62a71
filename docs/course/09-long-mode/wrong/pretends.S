// refused: efer=0x500
.code16
.globl _start
_start:
        cli
        mov     $0xdef0, %ax
        ljmp    $8, $(here - 0x80)

.org    0x100                           // CS:0 is 0x80
here:   hlt
