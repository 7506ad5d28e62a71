// A program in ring 3 executes HLT.

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
        hlt

        .fill   64, 4, 0
program_stack:
