// How the programs of mix.c begin and end, in 32 and in 64 bits. A Multiboot loader (QEMU's, v86's) enters at
// multiboot_start in 32-bit protected mode; Terrarium enters at direct_start in the width that was compiled for.
    .set FLAGS, 0

    .section .start, "awx"
    .code32
    .align 4
    .long 0x1badb002, FLAGS, -(0x1badb002 + FLAGS)

    .globl multiboot_start
multiboot_start:
    cli
#ifdef __x86_64__
    // One gigabyte in pages of 2 MiB, mapped as it is (SDM 3A 5.5, 10.8.5).
    mov $pml4, %edi
    lea pdpt + 3, %eax
    mov %eax, (%edi)
    lea directory + 3, %eax
    mov %eax, pdpt
    mov $directory, %edi
    mov $0x83, %eax
    mov $512, %ecx
1:  mov %eax, (%edi)
    add $0x200000, %eax
    add $8, %edi
    loop 1b
    mov $pml4, %eax
    mov %eax, %cr3
    mov $0x20, %eax         // CR4.PAE
    mov %eax, %cr4
    mov $0xc0000080, %ecx   // EFER.LME
    rdmsr
    or $0x100, %eax
    wrmsr
    mov $0x80000011, %eax   // CR0.PG, ET, PE
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $8, $direct_start

    .align 8
gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
    .short . - gdt - 1
    .long gdt
    .code64
#endif

    .globl direct_start
direct_start:
#ifdef FLOATS
#ifdef __x86_64__
    mov %cr4, %rax
    or $0x200, %rax         // CR4.OSFXSR
    mov %rax, %cr4
#endif
    fninit
#endif
#ifdef __x86_64__
    lea stack_end(%rip), %rsp
#else
    mov $stack_end, %esp
#endif
    call programs
    mov $0, %al
    out %al, $0xf4          // QEMU's isa-debug-exit, and Terrarium's
    cli
1:  hlt
    jmp 1b

    .bss
    .align 4096
#ifdef __x86_64__
pml4: .skip 4096
pdpt: .skip 4096
directory: .skip 4096
#endif
    .skip 65536
stack_end:
