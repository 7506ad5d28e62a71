// Lesson 6. From real mode into 32-bit protected mode.
//
//   1. Fill in the two descriptors: flat code and flat data, base 0, limit 4 GiB.
//   2. Set bit 0 of CR0 (PE), and jump to `flat` with the code segment's selector.
//   3. There, load DS with the data segment's selector and write 0x12345678 to address 0x100000.

.code16
.globl _start
_start:
        cli                             // there is no interrupt table for protected mode
        lgdt    table
        hlt                             // your code: CR0, and the far jump

.code32
flat:   hlt                             // your code: DS, and the store

.balign 8
gdt:    .quad   0                       // the null descriptor
        .quad   0                       // your code: a code segment, selector 8
        .quad   0                       // your code: a data segment, selector 16
table:  .word   . - gdt - 1
        .long   gdt
