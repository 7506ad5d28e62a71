// Lesson 4. An adder lies at address 0xD0000, where there is no RAM. It has three registers of 32 bits:
//
//   offset 0   a number       (write)
//   offset 4   another        (write)
//   offset 8   their sum      (read)
//
//   1. Let it add 100000 and 23456.
//   2. Leave the sum in EAX and at address 0x600.

.code16
.globl _start
_start:
        mov     $0xd000, %ax            // a segment is 16 times its number: DS:0 is 0xD0000
        mov     %ax, %ds
        hlt                             // your code
