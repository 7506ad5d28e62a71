// Waits for the timer, and the interrupt controllers were never set up.

.code32
.globl _start
_start:
        sti
        hlt
        hlt
