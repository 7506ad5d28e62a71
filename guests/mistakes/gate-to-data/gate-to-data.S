// The gate names the data segment, not the code segment.

.code32
.globl _start
_start:
        mov     $idt + 8 * 3, %edi
        mov     $handler, %eax
        mov     %ax, (%edi)
        movw    $0x10, 2(%edi)
        movw    $0x8e00, 4(%edi)
        shr     $16, %eax
        mov     %ax, 6(%edi)
        lidt    idtr
        int3
        hlt
handler:
        iret

        .align  8
idt:    .fill   32, 8, 0
idtr:   .word   8 * 32 - 1
        .long   idt
