// Writes to a page that is read-only.

.code64
.globl _start
_start:
        mov     %cr3, %rax
        mov     (%rax), %rbx                    // PML4[0]
        and     $~0xfff, %rbx
        mov     (%rbx), %rbx                    // its pointers' first directory
        and     $~0xfff, %rbx
        andq    $~2, 8(%rbx)                    // RW of the page from 2 MiB on
        mov     %rax, %cr3
        movl    $1, 0x200000
        hlt
