// IRET to ring 3, and CS in the frame has RPL 0.

.code32
.globl _start
_start:
        mov     $program_stack, %ebx
        push    $0x23                           // SS
        push    %ebx
        push    $0x2                            // EFLAGS
        push    $0x18                           // CS
        push    $program
        iret

program:
        jmp     program

        .fill   64, 4, 0
program_stack:
