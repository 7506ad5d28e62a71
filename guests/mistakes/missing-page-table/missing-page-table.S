// CR3 points to a table that is empty.

.code64
.globl _start
_start:
        lea     tables(%rip), %rax
        mov     %rax, %cr3
        nop
        hlt
        .align  4096
tables: .fill   4096, 1, 0
