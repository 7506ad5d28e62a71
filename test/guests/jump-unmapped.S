// Jumps to a linear address that no page table maps; without an interrupt table the #PF ends in a triple fault.
.code64
        lidt    empty(%rip)
        movabs  $0x7ffffffff000, %rax
        jmp     *%rax
empty:  .word   0
        .quad   0
