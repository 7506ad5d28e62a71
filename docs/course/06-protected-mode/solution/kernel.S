// Lesson 6, one way to do it.

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
        .quad   0x00cf9a000000ffff      // present, ring 0, code that can be read; 4 KiB units, 32 bits
        .quad   0x00cf92000000ffff      // present, ring 0, data that can be written
table:  .word   . - gdt - 1
        .long   gdt
