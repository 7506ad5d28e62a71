// refused: mem16[0xb8f9e]=0x1f20

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

        xor     %di, %di
        mov     $(WHITE_ON_BLUE << 8 | ' '), %ax
        mov     $(COLUMNS * 25 / 2), %cx
        rep stosw

        mov     $0xcd, %al              // ═
        mov     $CELL(11, 31), %di
        mov     $18, %cx
        rep stosw
        mov     $CELL(13, 31), %di
        mov     $18, %cx
        rep stosw
        movw    $(WHITE_ON_BLUE << 8 | 0xc9), %es:CELL(11, 30)
        movw    $(WHITE_ON_BLUE << 8 | 0xbb), %es:CELL(11, 49)
        movw    $(WHITE_ON_BLUE << 8 | 0xba), %es:CELL(12, 30)
        movw    $(WHITE_ON_BLUE << 8 | 0xba), %es:CELL(12, 49)
        movw    $(WHITE_ON_BLUE << 8 | 0xc8), %es:CELL(13, 30)
        movw    $(WHITE_ON_BLUE << 8 | 0xbc), %es:CELL(13, 49)

        mov     $word, %si
        mov     $CELL(12, 35), %di
        mov     $YELLOW_ON_BLUE, %ah
next:   lodsb
        test    %al, %al
        jz      done
        stosw                           // the character, and AH as its attribute
        jmp     next
done:   hlt

word:   .asciz  "Terrarium"
