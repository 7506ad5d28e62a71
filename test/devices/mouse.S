# Requests the mouse's reports from the BIOS (INT 15h AX=C2xx) and writes them, three bytes per report, to port E9; after
# the fourth report it halts.
        .code16
        .globl  _start
_start:
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7000, %sp
        mov     $0xc205, %ax            # packets of three bytes
        mov     $0x0300, %bx
        int     $0x15
        jc      failed
        mov     $0xc207, %ax
        mov     $handler, %bx
        int     $0x15
        jc      failed
        mov     $0xc200, %ax
        mov     $0x0100, %bx
        int     $0x15
        jc      failed
        sti
1:      hlt
        cmpb    $4, reports
        jb      1b
        cli
        hlt
failed: mov     %ah, %al
        out     %al, $0xe9
        cli
        hlt
handler:
        push    %bp
        mov     %sp, %bp
        push    %ax
        mov     12(%bp), %al
        out     %al, $0xe9
        mov     10(%bp), %al
        out     %al, $0xe9
        mov     8(%bp), %al
        out     %al, $0xe9
        incb    %cs:reports
        pop     %ax
        pop     %bp
        lret
reports:
        .byte   0
        .org    510
        .word   0xaa55
