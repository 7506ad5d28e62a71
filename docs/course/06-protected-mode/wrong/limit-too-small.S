// refused: mem32[0x100000]=0x12345678
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
flat:   mov     $16, %ax
        mov     %ax, %ds
        movl    $0x12345678, 0x100000
        hlt
.balign 8
gdt:    .quad   0
        .quad   0x00cf9a000000ffff
        .quad   0x004092000000ffff
table:  .word   . - gdt - 1
        .long   gdt
