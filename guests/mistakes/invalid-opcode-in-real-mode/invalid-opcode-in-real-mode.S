// Executes what is no instruction, in real mode and without a handler for it.

.code16
.globl _start
_start:
        ud2

        .org    510
        .word   0xaa55
