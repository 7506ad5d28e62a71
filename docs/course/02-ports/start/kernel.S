// Lesson 2. Three devices wait at their ports:
//
//   0xE9   the debug console: a byte out is a character
//   0x3F8  the serial port: a byte in is a key that was typed ...
//   0x3FD  ... once bit 0 here is 1
//   0xF4   the debug exit: a byte out ends the machine with that code
//
//   1. Read a byte from the serial port. Wait until it is there.
//   2. Write "Hi, ", that byte, "!" and a new line to the console.
//   3. End with exit code 3.

.code16
.globl _start
_start:
        mov     $'H', %al
        out     %al, $0xe9
        hlt                             // your code
