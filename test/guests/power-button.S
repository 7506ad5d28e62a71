# A boot sector that switches its machine off when somebody presses the power button, as ACPI has it: the SCI is IRQ 9, vector 71h of the
# BIOS; the PM1 blocks are at 600h (ACPI 6.4, 4.8.3). It prints "ready" once it listens.
        .code16
        .globl  _start
_start:
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7c00, %sp
        cli
        movw    $pressed, 0x71 * 4
        movw    %ax, 0x71 * 4 + 2
        mov     $0x602, %dx             # PM1 enable: the power button
        mov     $0x100, %ax
        out     %ax, %dx
        in      $0xa1, %al
        and     $0xfd, %al              # IRQ 9
        out     %al, $0xa1
        in      $0x21, %al
        and     $0xfb, %al              # the second controller
        out     %al, $0x21
        mov     $ready, %si
1:      lodsb
        test    %al, %al
        jz      2f
        out     %al, $0xe9
        jmp     1b
2:      sti
3:      hlt
        jmp     3b

pressed:
        mov     $0x600, %dx             # PM1 status: what is written is cleared
        in      %dx, %ax
        test    $0x100, %ax
        jz      4f
        mov     $0x100, %ax
        out     %ax, %dx
        mov     $0x604, %dx             # PM1 control: SLP_TYP 5, SLP_EN
        mov     $0x3401, %ax
        out     %ax, %dx
4:      mov     $0x20, %al
        out     %al, $0xa0
        out     %al, $0x20
        iret
ready:  .asciz  "ready"
        .org    510
        .word   0xaa55
