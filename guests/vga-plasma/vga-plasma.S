// Mode 13h: 320 by 200 pixels of a byte each, one after the other at A0000. A plasma of sine waves that move.

#include "vga.h"

#define FRAMES 12
#define WIDTH 320
#define HEIGHT 200

.code16
.globl _start
_start:
        cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7000, %sp
        cld
        vga_set_mode mode13

        // A wave of 256 steps. Half of it is a parabola, i × (128 − i) ÷ 64: the difference from a sine cannot be seen.
        xor     %di, %di
wave:   mov     %di, %ax
        and     $127, %ax
        mov     $128, %cx
        sub     %ax, %cx
        mul     %cx
        shr     $6, %ax                 // 0 to 64
        test    $128, %di
        jz      upper
        neg     %ax
upper:  add     $64, %ax
        mov     %al, sine(%di)
        inc     %di
        cmp     $256, %di
        jb      wave

        // Colours: red, green and blue are the same wave a third of its length apart. They are 6 bits wide.
        mov     $VGA_DAC_INDEX, %dx
        xor     %al, %al
        out     %al, %dx
        inc     %dx
        xor     %bx, %bx
colour: mov     sine(%bx), %al
        call    part
        add     $85, %bl
        mov     sine(%bx), %al
        call    part
        add     $85, %bl
        mov     sine(%bx), %al
        call    part
        add     $87, %bl                // 85 + 85 + 87 = 257: around, and one further
        jnz     colour

        xor     %bp, %bp                // the time
frame:
        // The part that depends only on x, for this frame: a row, wider than the screen.
        push    %ds
        pop     %es
        mov     $across, %di
        xor     %cx, %cx
1:      mov     %cx, %bx
        add     %bp, %bx
        and     $255, %bx
        mov     sine(%bx), %al
        mov     %cx, %bx
        shl     $1, %bx
        sub     %bp, %bx
        and     $255, %bx
        add     sine(%bx), %al
        stosb
        inc     %cx
        cmp     $(WIDTH + 128), %cx
        jb      1b

        // Each line is a piece of that row, moved by one wave and brightened by another.
        mov     $(VGA_GRAPHICS_MEMORY >> 4), %ax
        mov     %ax, %es
        xor     %di, %di
        xor     %dx, %dx                // DH counts the lines
line:   movzx   %dh, %bx
        add     %bp, %bx
        and     $255, %bx
        movzbw  sine(%bx), %si
        add     $across, %si
        movzx   %dh, %bx
        shl     $1, %bx
        add     %bp, %bx
        and     $255, %bx
        mov     sine(%bx), %dl
        mov     $(WIDTH / 2), %cx
pixels: lodsw
        add     %dl, %al
        add     %dl, %ah
        stosw                           // RAM to the guest: none of these writes is an exit
        loop    pixels
        inc     %dh
        cmp     $HEIGHT, %dh
        jb      line

        vga_wait_retrace
        add     $3, %bp
        cmp     $(3 * FRAMES), %bp
        jb      frame
        hlt

// One part of a colour: 0 to 128 becomes 0 to 63.
part:   shr     $1, %al
        cmp     $63, %al
        jbe     1f
        mov     $63, %al
1:      out     %al, %dx
        ret

mode13: .byte   0x63
        .byte   0x03, 0x01, 0x0f, 0x00, 0x0e            // sequencer: chain-4
        .byte   0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0x00, 0x00, 0x00
        .byte   0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff
        .byte   0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x05, 0x0f, 0xff
        .byte   0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c
        .byte   0x0d, 0x0e, 0x0f, 0x41, 0x00, 0x0f, 0x00, 0x00

.set    sine, 0x8000                    // 256 bytes after the program
.set    across, 0x8100                  // the row
