// The bytes from 0x500 on, up to a zero: leave their sum in AX.

.code16
.globl _start
_start:
        hlt                             // your code
