// Lesson 10. A screen of text: 80 columns, 25 rows, two bytes a cell, from address 0xB8000. The first byte is the
// character, the second its attribute: the character's colour in bits 0 to 3, the background's in bits 4 to 6.
//
//   1. Fill the screen with blanks, white on blue.
//   2. Draw a frame of double lines, white on blue: corners at row 11, column 30 and row 13, column 49, counted from 0.
//      The characters are C9 ╔, CD ═, BB ╗, BA ║, C8 ╚ and BC ╝.
//   3. Write "Terrarium" in it, yellow on blue, from row 12, column 35.

#include "vga.h"

#define COLUMNS 80
#define CELL(row, column) (((row) * COLUMNS + (column)) * 2)
#define WHITE_ON_BLUE 0x1f
#define YELLOW_ON_BLUE 0x1e

.code16
.globl _start
_start:
        cli
        mov     $(VGA_TEXT_MEMORY >> 4), %ax
        mov     %ax, %es                // ES:0 is the first cell; DS is still 0
        cld

        movw    $(YELLOW_ON_BLUE << 8 | 'T'), %es:CELL(0, 0)    // your code
done:   hlt

word:   .asciz  "Terrarium"
