// The second table is not at a multiple of 4 KiB: the low bits of its address became flags.

.code64
.globl _start
_start:
        lea     pml4(%rip), %rdi
        lea     pdpt(%rip), %rax
        or      $3, %rax
        mov     %rax, (%rdi)                    // PML4[0] → pdpt
        movq    $0x83, pdpt(%rip)               // 1 GiB at 0
        mov     %rdi, %cr3
        nop
        hlt
        .align  4096
pml4:   .fill   4096, 1, 0
        .fill   2048, 1, 0                      // here .align 4096 is missing
pdpt:   .fill   4096, 1, 0
        .fill   4096, 1, 0
