// The stack begins behind the page tables, and a function that calls itself without end writes over them.

.code64
.globl _start
_start:
        mov     $0x1000000, %rsp
        call    forever
        hlt
forever:
        call    forever
