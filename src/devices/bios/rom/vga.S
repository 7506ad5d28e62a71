# The ROM of the VGA for foreign firmware: C000:0000, in 16 bits. The fonts are at the same offsets as in bios.S.
#
# A firmware finds the signature and calls offset 3; the work is done in TypeScript, as bios.S tells.

        .code16
        .equ TRAP, 0xb105
        .equ SERVICE_VGA_POST, 0x101

        .globl  _start
_start:
        .byte   0x55, 0xaa              # an option ROM (BIOS Boot Specification 1.01, 3.3)
        .byte   0                       # units of 512 bytes: vga-rom.ts fills it in
        jmp     power_up

        .org    0x10                    # INT 10h
        push    $0x10
        jmp     service

power_up:
        pushf
        push    %cs
        call    1f
        lret
1:      push    $SERVICE_VGA_POST
        jmp     service

        .include "service.inc"
