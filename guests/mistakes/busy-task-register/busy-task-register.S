// LTR takes a TSS that is busy: Terrarium's boot has loaded it already.

.code32
.globl _start
_start:
        mov     $0x28, %ax
        ltr     %ax
        hlt
