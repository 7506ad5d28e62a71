// The handler of #GP does not take the error code from the stack before IRET.

.code32
.globl _start
_start:
        mov     $idt + 8 * 13, %edi
        mov     $handler, %eax
        mov     %ax, (%edi)
        movw    $0x08, 2(%edi)
        movw    $0x8e00, 4(%edi)
        shr     $16, %eax
        mov     %ax, 6(%edi)
        lidt    idtr
        mov     $0x1000, %ax
        mov     %ax, %ds                        // #GP, with an error code
        hlt
handler:
        iret

        .align  8
idt:    .fill   32, 8, 0
idtr:   .word   8 * 32 - 1
        .long   idt
