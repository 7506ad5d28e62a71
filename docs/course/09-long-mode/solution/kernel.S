// Lesson 9, one way to do it.

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
        movl    $(directory + 3), (pointers)
        movl    $0x000083, (directory)          // ... and large: 2 MiB at 0
        movl    $0x200083, (directory + 8)      // ... and at 2 MiB

        mov     %cr4, %eax
        or      $CR4_PAE, %eax
        mov     %eax, %cr4
        mov     $top, %eax
        mov     %eax, %cr3
        mov     $MSR_EFER, %ecx
        rdmsr
        or      $EFER_LME, %eax
        wrmsr
        mov     %cr0, %eax
        or      $CR0_PG_PE, %eax
        mov     %eax, %cr0
        ljmp    $8, $wide

.code64
wide:   mov     $0x123456789abcdef0, %rax
        mov     %rax, 0x200000
        hlt

.balign 8
gdt:    .quad   0
        .quad   0x00af9a000000ffff              // present, ring 0, code that can be read; L: 64 bits
table:  .word   . - gdt - 1
        .long   gdt
none:   .word   0
        .long   0

.balign 4096
top:            .skip   4096
pointers:       .skip   4096
directory:      .skip   4096
