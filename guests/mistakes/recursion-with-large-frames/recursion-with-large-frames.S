// A function with a page of local variables calls itself without end: the stack steps through all of memory.

.code64
.globl _start
_start:
        mov     $0x400000, %rsp
        call    deeper
        hlt
deeper:
        sub     $4096, %rsp
        call    deeper
        add     $4096, %rsp
        ret
