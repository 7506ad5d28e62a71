// The timer's handler sends no EOI, so its interrupt comes once and never again.

.code32
.globl _start
_start:
        mov     $idt + 8 * 0x20, %edi
        mov     $timer, %eax
        mov     %ax, (%edi)
        movw    $0x08, 2(%edi)
        movw    $0x8e00, 4(%edi)
        shr     $16, %eax
        mov     %ax, 6(%edi)
        lidt    idtr
        mov     $0x11, %al
        out     %al, $0x20
        mov     $0x20, %al
        out     %al, $0x21                      // IRQ 0 is vector 0x20
        mov     $0x04, %al
        out     %al, $0x21
        mov     $0x01, %al
        out     %al, $0x21
        mov     $0xfe, %al
        out     %al, $0x21                      // IRQ 0 alone
        mov     $0x34, %al
        out     %al, $0x43
        mov     $0x00, %al
        out     %al, $0x40
        mov     $0x10, %al
        out     %al, $0x40                      // every 3.4 ms
        sti
1:      hlt
        jmp     1b
        hlt
timer:  incl    ticks
        iret

        .align  8
idt:    .fill   8 * 0x21, 1, 0
idtr:   .word   8 * 0x21 - 1
        .long   idt
ticks:  .long   0
