// Mode X, 320 by 240: four planes, two pages that are flipped, and a status line that the split screen keeps in place.

#include "vga.h"

#define FRAMES 20
#define PITCH 80                        // bytes a line in each plane: 320 / 4
#define PAGE_LINES 208                  // the status line takes the other 32
#define STATUS 0                        // the split screen begins at address 0
#define PAGE0 0x1000
#define PAGE1 0x6000
#define SPLIT (2 * PAGE_LINES - 1)      // scan lines are shown twice each

.code16
.globl _start
_start:
        cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7000, %sp
        cld
        vga_set_mode modex
        mov     $colours, %si
        vga_set_colours 0, 16
        mov     $(VGA_GRAPHICS_MEMORY >> 4), %ax
        mov     %ax, %es

        // With all four planes in the map mask one byte is four pixels: memory is 256 KiB wide, and empty in 32,768 writes.
        vga_set VGA_SEQUENCER, SEQ_MAP_MASK, 0x0f
        xor     %di, %di
        xor     %ax, %ax
        mov     $0x6000, %cx
        rep stosw

        // The status line, plane by plane: stripes that show which plane is which.
        mov     $1, %bl                 // the plane's bit in the map mask, and its colour
plane:  mov     $VGA_SEQUENCER, %dx
        mov     $SEQ_MAP_MASK, %al
        mov     %bl, %ah
        out     %ax, %dx
        mov     $(STATUS + 4 * PITCH), %di
        mov     $(24 * PITCH), %cx
        mov     %bl, %al
        rep stosb
        shl     $1, %bl
        cmp     $0x10, %bl
        jb      plane
        vga_set VGA_SEQUENCER, SEQ_MAP_MASK, 0x0f

        // Line compare has nine of its ten bits elsewhere than the other eight: bit 8 in register 7, bit 9 in register 9.
        vga_set VGA_CRTC, CRTC_LINE_COMPARE, SPLIT & 0xff

        mov     $PAGE0, %bp             // the page that is drawn while the other is shown
        xor     %bx, %bx                // the time
frame:
        // Clear the page, then a box that moves down and to the right: 40 bytes wide are 160 pixels.
        mov     %bp, %di
        mov     $0x0101, %ax
        mov     $(PITCH * PAGE_LINES / 2), %cx
        rep stosw
        mov     %bx, %ax
        shl     $2, %ax                 // four lines a frame
        imul    $PITCH, %ax, %ax
        add     %bx, %ax
        add     %bp, %ax
        mov     %ax, %di
        mov     $64, %dx
        mov     %bl, %al
        and     $7, %al
        add     $8, %al
        mov     %al, %ah
box:    mov     $20, %cx
        rep stosw
        add     $(PITCH - 40), %di
        dec     %dx
        jnz     box

        // Flip: the CRTC begins its next picture at this page.
        mov     $VGA_CRTC, %dx
        mov     %bp, %ax
        mov     $CRTC_START_HIGH, %al
        out     %ax, %dx
        mov     %bp, %cx
        mov     %cl, %ah
        mov     $CRTC_START_LOW, %al
        out     %ax, %dx
        vga_wait_retrace

        xor     $(PAGE0 ^ PAGE1), %bp
        inc     %bx
        cmp     $FRAMES, %bx
        jb      frame
        hlt

// 320 by 240 with square pixels. Chain-4 is off: bits 3 and 6 of the sequencer's memory mode and the CRTC's underline.
modex:  .byte   0xe3
        .byte   0x03, 0x01, 0x0f, 0x00, 0x06
        .byte   0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0d, 0x3e, 0x00, 0x01, 0x00, 0x00, 0x00
        .byte   0x00, 0x00, 0x00, 0xea, 0xac, 0xdf, 0x28, 0x00, 0xe7, 0x06, 0xe3, 0xff
        .byte   0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x05, 0x0f, 0xff
        .byte   0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c
        .byte   0x0d, 0x0e, 0x0f, 0x41, 0x00, 0x0f, 0x00, 0x00

colours:
        .byte   0, 0, 0,   10, 12, 24,   0, 42, 0,   0, 42, 42,  50, 20, 0,   42, 0, 42,  42, 21, 0,  42, 42, 42
        .byte   63, 40, 0,   63, 21, 21,  21, 63, 21,  63, 63, 21,  21, 21, 63,  63, 21, 63,  21, 63, 63,  63, 63, 63
