// A program in ring 3 calls the kernel, and the TSS names no stack for ring 0.

.code32
.globl _start
_start:
        mov     $idt + 8 * 0x80, %edi
        mov     $service, %eax
        mov     %ax, (%edi)
        movw    $0x08, 2(%edi)
        movw    $0xee00, 4(%edi)
        shr     $16, %eax
        mov     %ax, 6(%edi)
        lidt    idtr
        mov     $program_stack, %ebx
        push    $0x23                           // SS
        push    %ebx
        push    $0x2                            // EFLAGS
        push    $0x1b                           // CS
        push    $program
        iret

program:
        int     $0x80

service:
        hlt

        .align  8
idt:    .fill   8 * 0x81, 1, 0
idtr:   .word   8 * 0x81 - 1
        .long   idt
        .fill   64, 4, 0
program_stack:
