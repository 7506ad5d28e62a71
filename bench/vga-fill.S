// Fills 320 by 200 pixels again and again, for bench/vga.ts, which writes into the first bytes what it wants.

#include "vga.h"

.code16
.globl _start
_start: jmp     start
planar: .byte   0                       // at 2: mode X and not mode 13h
frames: .word   0                       // at 3
        .byte   0
start:  cli
        xor     %ax, %ax
        mov     %ax, %ds
        cld
        vga_set_mode mode13
        mov     $(VGA_GRAPHICS_MEMORY >> 4), %ax
        mov     %ax, %es
        mov     frames, %bp
        cmpb    $0, planar
        jne     four

        // A byte a pixel.
one:    dec     %bp
        js      done
        mov     %bp, %ax
        xor     %di, %di
        mov     $(320 * 200 / 4), %cx
        rep stosl
        jmp     one

        // A byte is four pixels.
four:   vga_set VGA_SEQUENCER, SEQ_MEMORY_MODE, 0x06
        vga_set VGA_CRTC, 0x14, 0
        vga_set VGA_CRTC, 0x17, 0xe3
next:   dec     %bp
        js      done
        mov     %bp, %ax
        xor     %di, %di
        mov     $(320 * 200 / 4 / 2), %cx
        rep stosw
        jmp     next

done:   hlt

mode13: .byte   0x63
        .byte   0x03, 0x01, 0x0f, 0x00, 0x0e
        .byte   0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0x00, 0x00, 0x00
        .byte   0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff
        .byte   0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x05, 0x0f, 0xff
        .byte   0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c
        .byte   0x0d, 0x0e, 0x0f, 0x41, 0x00, 0x0f, 0x00, 0x00
