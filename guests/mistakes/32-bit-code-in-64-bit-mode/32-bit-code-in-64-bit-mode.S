// 32-bit code in a 64-bit file, which starts in 64-bit mode: it loads a GDT from the wrong place, and jumps far.
// run: --mode long

.code64
.globl _start
        .code32
_start:
        lgdt    gdtr
        ljmp    $0x08, $next
next:   hlt

        .align  8
gdt:    .quad   0
        .quad   0x00cf9a000000ffff
gdtr:   .word   15
        .long   gdt
