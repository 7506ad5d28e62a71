// Waits for the timer, and interrupts are off.
// run: --why

.code32
.globl _start
_start:
        mov     $0x11, %al
        out     %al, $0x20
        mov     $0x20, %al
        out     %al, $0x21                      // IRQ 0 is vector 0x20
        mov     $0x04, %al
        out     %al, $0x21
        mov     $0x01, %al
        out     %al, $0x21
        mov     $0xfe, %al
        out     %al, $0x21                      // IRQ 0 alone
        mov     $0x34, %al
        out     %al, $0x43
        mov     $0x00, %al
        out     %al, $0x40
        mov     $0x10, %al
        out     %al, $0x40                      // every 3.4 ms
        hlt                                     // STI is missing
        hlt
