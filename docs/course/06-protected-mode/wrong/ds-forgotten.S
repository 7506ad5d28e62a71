// refused: ds=16
.code16
.globl _start
_start:
        cli
        lgdt    table
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmp    $8, $flat
.code32
flat:   hlt
.balign 8
gdt:    .quad   0
        .quad   0x00cf9a000000ffff
        .quad   0x00cf92000000ffff
table:  .word   . - gdt - 1
        .long   gdt
