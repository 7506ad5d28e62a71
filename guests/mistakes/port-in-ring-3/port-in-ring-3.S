// A program in ring 3 writes to a port.

.code32
.globl _start
_start:
        mov     $program_stack, %ebx
        push    $0x23                           // SS
        push    %ebx
        push    $0x2                            // EFLAGS
        push    $0x1b                           // CS
        push    $program
        iret

program:
        out     %al, $0xe9

        .fill   64, 4, 0
program_stack:
