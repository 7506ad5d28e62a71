// The same in 64-bit long mode, with a counter in RAX that shows whether the guest still runs.
.code64
        xor     %eax, %eax
spin:   inc     %rax
        jmp     spin
