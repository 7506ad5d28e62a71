// The smallest kernel: clear AX, then spin forever.
//
// It is written for a processor that has just been switched on. An x86 then runs 16-bit code, and its first instruction
// is the one at F000:FFF0, sixteen bytes below 1 MiB. There is room for little more than a jump.

.code16

start:
        xor     %ax, %ax
forever:
        jmp     forever                 // 100 % of one processor, and no VM exit

.org 0xfff0                             // the reset vector
        ljmp    $0xf000, $start
