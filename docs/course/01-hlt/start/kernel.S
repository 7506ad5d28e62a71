// Lesson 1. The processor begins here, in 16-bit real mode.
//
//   1. Put 42 into AX.
//   2. Put twice that into BX, computed from AX.
//   3. End.

.code16
.globl _start
_start:
        nop                             // your code
