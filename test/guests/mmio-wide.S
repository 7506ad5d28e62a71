// Reads 8 bytes from the address in RDI and writes back their complement, then halts with the read value in RAX. RDI is
// for the test to set; it must be mapped.
.code64
        mov     (%rdi), %rax
        mov     %rax, %rdx
        not     %rdx
        mov     %rdx, (%rdi)
        hlt
