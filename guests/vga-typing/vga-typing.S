// Shows typed text: a polled keyboard, a text screen, a moving cursor. Escape ends.

#include "keyboard.h"
#include "ports.h"
#include "vga.h"

#define WHITE_ON_BLUE 0x1f
#define COLUMNS 80
#define ROWS 25

.code16
.globl _start
_start:
        mov     $VGA_TEXT_MEMORY / 16, %ax
        mov     %ax, %es                        // ES: the screen
        xor     %di, %di                        // DI: the place of the next character
        mov     $WHITE_ON_BLUE << 8 | ' ', %ax
        mov     $COLUMNS * ROWS, %cx
        cld
        rep stosw                               // a blue screen
        xor     %di, %di
        call    cursor

key:    in      $PORT_KEYBOARD_STATUS, %al
        test    $KEYBOARD_OUTPUT_FULL, %al
        jz      key
        in      $PORT_KEYBOARD_DATA, %al
        cmp     $SCAN_ESCAPE, %al
        je      done
        cmp     $SCAN_ENTER, %al
        je      line
        cmp     $(letters_end - letters), %al   // a key that goes up, or no letter
        jae     key
        mov     $letters, %bx
        xlat                                    // AL = the byte at BX + AL
        test    %al, %al
        jz      key
        mov     $WHITE_ON_BLUE, %ah
        stosw
        out     %al, $PORT_DEBUG_CONSOLE        // and on the console, for users without a screen
        jmp     placed

line:   mov     $'\n', %al
        out     %al, $PORT_DEBUG_CONSOLE
        mov     %di, %ax                        // to the start of the next line
        xor     %dx, %dx
        mov     $COLUMNS * 2, %cx
        div     %cx
        inc     %ax
        mul     %cx
        mov     %ax, %di

placed: cmp     $COLUMNS * ROWS * 2, %di
        jb      1f
        xor     %di, %di                        // from the last line back to the first
1:      call    cursor
        jmp     key

done:   cli
        hlt

// The cursor's place, in characters, goes into two registers of the CRTC. Changes AX, BX and DX.
cursor: mov     %di, %bx
        shr     $1, %bx
        mov     $VGA_CRTC, %dx
        mov     $CRTC_CURSOR_HIGH, %al
        mov     %bh, %ah
        out     %ax, %dx
        mov     $CRTC_CURSOR_LOW, %al
        mov     %bl, %ah
        out     %ax, %dx
        ret

// The characters of set 1's keys, by scan code; 0 for none.
letters:
        .byte   0, 0
        .ascii  "1234567890-="
        .byte   0, 0
        .ascii  "qwertyuiop[]"
        .byte   0, 0
        .ascii  "asdfghjkl;'`"
        .byte   0
        .ascii  "\\zxcvbnm,./"
        .byte   0, '*', 0, ' '
letters_end:
