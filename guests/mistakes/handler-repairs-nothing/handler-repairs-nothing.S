// The handler of #DE returns to the division, which faults again, and so on.
// run: --timeout 100ms --why

.code32
.globl _start
_start:
        mov     $idt + 8 * 0, %edi
        mov     $handler, %eax
        mov     %ax, (%edi)
        movw    $0x08, 2(%edi)
        movw    $0x8e00, 4(%edi)
        shr     $16, %eax
        mov     %ax, 6(%edi)
        lidt    idtr
        xor     %ecx, %ecx
        div     %ecx
        hlt
handler:
        iret

        .align  8
idt:    .fill   32, 8, 0
idtr:   .word   8 * 32 - 1
        .long   idt
