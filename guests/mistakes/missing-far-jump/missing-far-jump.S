// CS is not loaded after CR0.PE was set: the CPU continues in 16-bit code.
// run: --why

.code16
.globl _start
_start:
        cli
        lgdt    gdtr
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        jmp     protected

.code32
protected:
        mov     $0x10, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7000, %esp
        hlt

        .align  8
gdt:    .quad   0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdt_end:
gdtr:   .word   gdt_end - gdt - 1
        .long   gdt
