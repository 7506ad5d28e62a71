// refused: cs=8
.code16
.globl _start
_start:
        cli
        lgdt    table
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        mov     $16, %ax
        mov     %ax, %ds
        mov     $0x100000, %edi
        movl    $0x12345678, (%edi)
        hlt
.balign 8
gdt:    .quad   0
        .quad   0x00cf9a000000ffff
        .quad   0x00cf92000000ffff
table:  .word   . - gdt - 1
        .long   gdt
