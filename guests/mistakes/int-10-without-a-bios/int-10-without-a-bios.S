// A boot sector asks the BIOS to write a character, and there is none.

.code16
.globl _start
_start:
        mov     $0x0e, %ah
        mov     $'H', %al
        int     $0x10
        hlt

        .org    510
        .word   0xaa55
