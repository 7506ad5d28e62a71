// The stack pointer is outside RAM: what a CALL writes there is lost, and RET reads another value.

.code32
.globl _start
_start:
        mov     $0x90000000, %esp
        call    function
        hlt
function:
        ret
