// A boot sector asks DOS to write a text. The BIOS is there, DOS is not.

.code16
.globl _start
_start:
        mov     $0x09, %ah
        mov     $text, %dx
        int     $0x21
        hlt

text:   .ascii  "Hello$"

        .org    510
        .word   0xaa55
