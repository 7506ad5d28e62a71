// A VGA, for assembler and C alike. docs/vga.md is the manual.
#ifndef VGA_H
#define VGA_H

#define VGA_GRAPHICS_MEMORY 0xa0000
#define VGA_TEXT_MEMORY 0xb8000

#define VGA_ATTRIBUTE 0x3c0     // index and value in turn; after a read of VGA_STATUS the index is next
#define VGA_MISC 0x3c2          // miscellaneous output
#define VGA_SEQUENCER 0x3c4     // index; the value goes to the next port
#define VGA_DAC_INDEX 0x3c8     // the colour to set; then red, green and blue, 0 to 63, to VGA_DAC
#define VGA_DAC 0x3c9
#define VGA_CONTROLLER 0x3ce    // the graphics controller: index, value at the next port
#define VGA_CRTC 0x3d4          // index, value at the next port
#define VGA_STATUS 0x3da        // input status 1
#define VGA_STATUS_RETRACE 0x08 // ... the beam is on its way back to the top

// Registers of the sequencer, the graphics controller and the CRTC.
#define SEQ_MAP_MASK 0x02
#define SEQ_MEMORY_MODE 0x04
#define GC_WRITE_MODE 0x05
#define CRTC_MAX_SCAN 0x09
#define CRTC_START_HIGH 0x0c
#define CRTC_START_LOW 0x0d
#define CRTC_CURSOR_HIGH 0x0e
#define CRTC_CURSOR_LOW 0x0f
#define CRTC_RETRACE_END 0x11
#define CRTC_LINE_COMPARE 0x18

#ifdef __ASSEMBLER__

// Sets one register: index and value in a single 16-bit OUT, as the two ports are neighbours. Changes AX and DX.
.macro vga_set port, index, value
        mov     $\port, %dx
        mov     $((\value) << 8 | \index), %ax
        out     %ax, %dx
.endm

// Sets the registers 0 to `count` - 1 of a unit from the bytes at DS:SI. Changes AX, BX, DX and SI.
.macro vga_set_all port, count
        mov     $\port, %dx
        xor     %bx, %bx
1:      lodsb
        mov     %al, %ah
        mov     %bl, %al
        out     %ax, %dx
        inc     %bx
        cmp     $\count, %bx
        jb      1b
.endm

// Sets a whole mode from a table of 61 bytes at DS:`table`: miscellaneous output, 5 registers of the sequencer, 25 of the
// CRTC, 9 of the graphics controller, 21 of the attribute controller. Changes AX, BX, DX and SI.
.macro vga_set_mode table
        mov     $\table, %si
        vga_set VGA_SEQUENCER, 0, 1                     // hold the sequencer while the clock changes
        lodsb
        mov     $VGA_MISC, %dx
        out     %al, %dx
        vga_set_all VGA_SEQUENCER, 5
        vga_set VGA_CRTC, CRTC_RETRACE_END, 0           // registers 0 to 7 can be written while its bit 7 is clear
        vga_set_all VGA_CRTC, 25
        vga_set_all VGA_CONTROLLER, 9
        mov     $VGA_STATUS, %dx
        in      %dx, %al                                // the index is next
        mov     $VGA_ATTRIBUTE, %dx
        xor     %bx, %bx
2:      mov     %bl, %al
        out     %al, %dx
        lodsb
        out     %al, %dx
        inc     %bx
        cmp     $21, %bx
        jb      2b
        mov     $0x20, %al                              // the palette belongs to the picture again
        out     %al, %dx
.endm

// Waits for the start of a vertical retrace: 70 of them a second. Changes AL and DX.
.macro vga_wait_retrace
        mov     $VGA_STATUS, %dx
1:      in      %dx, %al
        test    $VGA_STATUS_RETRACE, %al
        jnz     1b
2:      in      %dx, %al
        test    $VGA_STATUS_RETRACE, %al
        jz      2b
.endm

// Sets colour `index` and those after it from the bytes at DS:SI: `count` times red, green and blue. Changes AX, CX, DX, SI.
.macro vga_set_colours index, count
        mov     $VGA_DAC_INDEX, %dx
        mov     $\index, %al
        out     %al, %dx
        inc     %dx
        mov     $(\count * 3), %cx
        rep outsb
.endm

#endif
#endif
