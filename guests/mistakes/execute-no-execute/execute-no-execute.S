// Jumps into a page with the NX bit.

.code64
.globl _start
_start:
        mov     $0xc0000080, %ecx
        rdmsr
        or      $0x800, %eax                    // EFER.NXE
        wrmsr
        mov     %cr3, %rax
        mov     (%rax), %rbx
        and     $~0xfff, %rbx
        mov     (%rbx), %rbx
        and     $~0xfff, %rbx
        btsq    $63, 8(%rbx)                    // NX of the page from 2 MiB on
        mov     %rax, %cr3
        movb    $0xc3, 0x200000                 // RET
        mov     $0x200000, %eax
        call    *%rax
        hlt
