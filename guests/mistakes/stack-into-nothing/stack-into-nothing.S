// The stack pointer is where no memory is: what a CALL writes there is lost, and RET reads something else.

.code32
.globl _start
_start:
        mov     $0x90000000, %esp
        call    function
        hlt
function:
        ret
