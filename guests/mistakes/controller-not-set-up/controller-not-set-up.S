// Waits for the timer, and nobody set up the interrupt controllers.

.code32
.globl _start
_start:
        sti
        hlt
        hlt
