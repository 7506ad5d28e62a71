// Reads and writes every I/O port with every size. Left out are 0xF0 to 0xF7: the debug exit, which would end the guest,
// and its neighbours, whose wider accesses reach it; and 0xABB8 to 0xABBF: a hypercall, whose answer would overwrite the
// code at address 0. AX is 0xD0E (done) at the end, CX the number of ports.
.code16
        xor     %cx, %cx
        xor     %dx, %dx
port:   mov     %dx, %ax
        and     $0xfff8, %ax
        cmp     $0xf0, %ax
        je      next
        cmp     $0xabb8, %ax
        je      next

        in      %dx, %al
        in      %dx, %ax
        in      %dx, %eax
        xor     %eax, %eax              // a 0 resets no machine through 0x64, 0x92 or 0xCF9
        out     %al, %dx
        out     %ax, %dx
        out     %eax, %dx
        inc     %cx

next:   inc     %dx
        jnz     port
        mov     $0xd0e, %eax
        hlt
