// Text without a BIOS: characters and attributes at B8000, a frame of line characters, every colour, the cursor's place.

#include "vga.h"

#define COLUMNS 80
#define CELL(row, column) (((row) * COLUMNS + (column)) * 2)
#define BLUE 0x1f                       // white on blue
#define TITLE 0x1e                      // yellow on blue
#define BLINK 0x80

.code16
.globl _start
_start:
        xor     %ax, %ax
        mov     %ax, %ds
        mov     $(VGA_TEXT_MEMORY >> 4), %ax
        mov     %ax, %es                // ES:DI writes to the screen
        cld

        // All of the screen: blanks, white on blue. A cell is two bytes: the character, then its attribute.
        xor     %di, %di
        mov     $(BLUE << 8 | ' '), %ax
        mov     $(COLUMNS * 25), %cx
        rep stosw

        // A frame of double lines; the characters meet because bits continue into the ninth dot.
        mov     $CELL(1, 4), %di
        mov     $0xc9, %al              // ╔
        mov     $0xbb, %bl              // ╗
        call    edge
        mov     $CELL(2, 4), %di
        mov     $21, %cx
sides:  movb    $0xba, %es:(%di)        // ║
        movb    $0xba, %es:71 * 2(%di)
        add     $(COLUMNS * 2), %di
        loop    sides
        mov     $CELL(23, 4), %di
        mov     $0xc8, %al              // ╚
        mov     $0xbc, %bl              // ╝
        call    edge

        mov     $title, %si
        mov     $CELL(3, 26), %di
        mov     $TITLE, %ah
        call    print
        mov     $note, %si
        mov     $CELL(21, 24), %di
        mov     $(BLUE | BLINK), %ah    // with blinking on, bit 7 is no background colour
        call    print

        // Every attribute that does not blink: backgrounds downwards, foregrounds to the right.
        xor     %bx, %bx                // BL is the attribute
        mov     $CELL(6, 16), %di
row:    mov     $16, %cx
cell:   mov     %bl, %ah
        mov     $' ', %al
        stosw
        mov     %bl, %al
        and     $0x0f, %al
        add     $'0', %al
        cmp     $'9', %al
        jbe     digit
        add     $('A' - '9' - 1), %al
digit:  stosw
        mov     $' ', %al
        stosw
        inc     %bx
        loop    cell
        add     $((COLUMNS - 48) * 2), %di
        cmp     $0x80, %bx
        jb      row

        // The first 32 characters are no control characters to a VGA.
        mov     $CELL(16, 24), %di
        xor     %al, %al
        mov     $TITLE, %ah
glyph:  stosw
        inc     %al
        cmp     $32, %al
        jb      glyph

        // The cursor after the title: its place is counted in cells.
        vga_set VGA_CRTC, CRTC_CURSOR_HIGH, (3 * COLUMNS + 54) >> 8
        vga_set VGA_CRTC, CRTC_CURSOR_LOW, (3 * COLUMNS + 54) & 0xff
        cli
        hlt

// A row of the frame: AL, seventy times ═, BL.
edge:   stosb
        inc     %di
        mov     $0xcd, %al
        mov     $70, %cx
1:      stosb
        inc     %di                     // the attribute stays
        loop    1b
        mov     %bl, %al
        stosb
        ret

// Prints the text at DS:SI, which a zero ends, in the colours AH.
print:  lodsb
        test    %al, %al
        jz      1f
        stosw
        jmp     print
1:      ret

title:  .asciz  "80 columns, 25 rows, no BIOS"
note:   .asciz  "this line blinks on a real screen"
