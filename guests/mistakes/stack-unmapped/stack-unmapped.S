// The stack pointer is not mapped.

.code64
.globl _start
_start:
        movabs  $0x40000000000, %rsp
        push    %rax
        hlt
