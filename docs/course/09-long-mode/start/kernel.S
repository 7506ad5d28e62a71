// Lesson 9. From real mode to 64 bits, in one go.
//
//   1. Page tables: top[0] leads to pointers, pointers[0] to directory, and directory maps two large pages: 0 and
//      2 MiB to themselves. Entries have 8 bytes; the upper 4 stay 0.
//   2. A descriptor: 64-bit code, selector 8.
//   3. The switches, in this order: CR4.PAE, CR3, EFER.LME, and PG and PE of CR0 together. Then the far jump to wide.
//   4. There, load RAX with 0x123456789abcdef0 and store it at address 0x200000.

#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define CR0_PG_PE 0x80000001

.code16
.globl _start
_start:
        cli
        lidt    none                            // a fault finds no handler, and the processor shuts down at once
        lgdt    table

        movl    $(pointers + 3), (top)          // present, writable
        hlt                                     // your code: the other tables, the switches, the far jump

.code64
wide:   hlt                                     // your code

.balign 8
gdt:    .quad   0
        .quad   0                               // your code: a code segment of 64 bits
table:  .word   . - gdt - 1
        .long   gdt
none:   .word   0
        .long   0

.balign 4096
top:            .skip   4096
pointers:       .skip   4096
directory:      .skip   4096
