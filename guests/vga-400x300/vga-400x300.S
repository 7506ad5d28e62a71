// 400 by 300 pixels in 256 colours: a mode that no BIOS has. The six lines of the course's slide are here word for word;
// the slide leaves out the CRTC's timing and its assumptions: chain-4 off, 256 colours on, a palette.

#include "vga.h"

#define WIDTH 400
#define HEIGHT 300
#define PITCH (WIDTH / 4)               // bytes per line in each plane

.code16
.globl _start
_start:
        cli
        xor     %ax, %ax
        mov     %ax, %ds
        cld

        vga_set VGA_SEQUENCER, 0, 1             // hold the sequencer while the clock changes
        mov     $VGA_MISC, %dx
        mov     $0x67, %al
        out     %al, %dx                        // outb(0x3C2, 0x67): 28 MHz, CRTC at 3D4
        vga_set VGA_SEQUENCER, 1, 0x01          // not on the slide: characters of 8 dots
        vga_set VGA_SEQUENCER, SEQ_MEMORY_MODE, 0x06 // ... all memory, no chain-4, no odd/even
        vga_set VGA_SEQUENCER, 0, 3
        vga_set VGA_CRTC, CRTC_RETRACE_END, 0   // ... let registers 0 to 7 be written
        mov     $timing, %si
        mov     $VGA_CRTC, %dx
        mov     $((timing_end - timing) / 2), %cx
next:   lodsw
        out     %ax, %dx
        loop    next
        vga_set VGA_CONTROLLER, GC_WRITE_MODE, 0x40 // ... 256 colours
        vga_set VGA_CONTROLLER, 0x06, 0x05      // outw(0x3CE, 0x0506): graphics, 64 KiB at A0000
        mov     $VGA_STATUS, %dx
        in      %dx, %al                        // inb(0x3DA): the attribute controller takes an index next
        mov     $VGA_ATTRIBUTE, %dx
        mov     $0x10, %al
        out     %al, %dx                        // not on the slide: its mode: graphics, pixels of 8 bits
        mov     $0x41, %al
        out     %al, %dx
        mov     $0x13, %al                      // ... no panning
        out     %al, %dx
        xor     %al, %al
        out     %al, %dx
        mov     $0x20, %al
        out     %al, %dx                        // outb(0x3C0, 0x20): video on
        vga_set VGA_SEQUENCER, SEQ_MAP_MASK, 0x0f // outw(0x3C4, 0x0F02): write all planes
        mov     $(VGA_SEQUENCER + 1), %dx
        mov     $0x0f, %al
        out     %al, %dx                        // outb(0x3C5, 0x0F): the same once more, the index is still 2

        // Colours: red follows bits 5 to 7, green bits 2 to 4, blue bits 0 and 1.
        mov     $VGA_DAC_INDEX, %dx
        xor     %al, %al
        out     %al, %dx
        inc     %dx
        xor     %bx, %bx
colour: mov     %bl, %al
        shr     $5, %al
        imul    $9, %ax, %ax
        out     %al, %dx
        mov     %bl, %al
        shr     $2, %al
        and     $7, %al
        imul    $9, %ax, %ax
        out     %al, %dx
        mov     %bl, %al
        and     $3, %al
        imul    $21, %ax, %ax
        out     %al, %dx
        inc     %bl
        jnz     colour

        // The picture is a XOR of coordinates. Two neighbours in a plane are four pixels apart: a word of two at a time.
        mov     $(VGA_GRAPHICS_MEMORY >> 4), %ax
        mov     %ax, %es
        xor     %bx, %bx                        // BX is the plane
plane:  mov     $VGA_SEQUENCER, %dx
        mov     $SEQ_MAP_MASK, %al
        mov     $1, %ah
        mov     %bl, %cl
        shl     %cl, %ah
        out     %ax, %dx
        xor     %di, %di
        xor     %bp, %bp                        // BP is y
line:   mov     %bp, %ax
        mov     %al, %ah
        mov     %bl, %dl                        // DL is x, of which 8 bits are enough
        mov     %bl, %dh
        add     $4, %dh
        mov     $(PITCH / 2), %cx
pixels: push    %ax
        xor     %dx, %ax
        stosw
        pop     %ax
        add     $8, %dl
        add     $8, %dh
        loop    pixels
        inc     %bp
        cmp     $HEIGHT, %bp
        jb      line
        inc     %bx
        cmp     $4, %bx
        jb      plane
        hlt

// Index, value: 100 characters of 118 a line, 300 lines of 328, 50 words a line, addresses by bytes.
timing: .byte   0x00, 0x71, 0x01, 0x63, 0x02, 0x64, 0x03, 0x92, 0x04, 0x65, 0x05, 0x82, 0x06, 0x46, 0x07, 0x1f
        .byte   0x08, 0x00, 0x09, 0x40, 0x0c, 0x00, 0x0d, 0x00, 0x10, 0x31, 0x11, 0x80, 0x12, 0x2b, 0x13, 0x32
        .byte   0x14, 0x00, 0x15, 0x2f, 0x16, 0x44, 0x17, 0xe3, 0x18, 0xff
timing_end:
