// Lesson 3. A tape is behind port 0x300: each byte that is read is the next one of a text.
//
//   Read 64 bytes of it to address 0x600. Three exits are the most that you may take, HLT among them.

.code16
.globl _start
_start:
        mov     $0x300, %dx
        in      %dx, %al                // one byte, one exit
        mov     %al, (0x600)
        hlt                             // your code
