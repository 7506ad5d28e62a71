// Letters from a keyboard, in real mode: IRQ 1, scan codes, Shift, and a reboot at the end.

#include "interrupts.h"
#include "keyboard.h"
#include "ports.h"

.code16
.globl _start
_start:
        cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7000, %sp
        movw    $pressed, (VECTOR_PIC + IRQ_KEYBOARD) * 4
        movw    %cs, (VECTOR_PIC + IRQ_KEYBOARD) * 4 + 2
        pic_init 1 << IRQ_KEYBOARD
        xor     %bx, %bx                        // BL: a Shift key is down
        sti
sleep:  hlt                                     // until a key moves
        jmp     sleep

// One interrupt per byte: a scan code of set 1. Bit 7 means that the key went up.
pressed:
        in      $PORT_KEYBOARD_DATA, %al
        cmp     $SCAN_ESCAPE, %al
        je      reboot

        mov     %al, %cl                        // either Shift: bit 7 is whether it goes up
        and     $~SCAN_UP, %cl
        cmp     $SCAN_SHIFT_LEFT, %cl
        je      shift
        cmp     $SCAN_SHIFT_RIGHT, %cl
        je      shift

        cmp     $(plain_end - plain), %al       // no letter, or a key that goes up: nothing to write
        jae     done
        mov     $plain, %bp
        test    %bl, %bl
        jz      look
        mov     $shifted, %bp
look:   movzx   %al, %di
        mov     0(%bp, %di), %al
        test    %al, %al
        jz      done
        out     %al, $PORT_DEBUG_CONSOLE
        jmp     done

shift:  not     %al
        and     $SCAN_UP, %al                   // not 0 while it is down
        mov     %al, %bl
done:   outp    PORT_PIC, PIC_EOI
        iret

// The keyboard controller can pull the processor's reset line: the oldest way to reboot a PC.
reboot: outp    PORT_KEYBOARD_COMMAND, KEYBOARD_RESET
        hlt

// The characters of set 1's keys, by scan code, up to the space bar; 0 for none.
plain:  .byte   0, 0
        .ascii  "1234567890-=\b\tqwertyuiop[]\n"
        .byte   0
        .ascii  "asdfghjkl;'`"
        .byte   0
        .ascii  "\\zxcvbnm,./"
        .byte   0, '*', 0, ' '
plain_end:
shifted:
        .byte   0, 0
        .ascii  "!@#$%^&*()_+\b\tQWERTYUIOP{}\n"
        .byte   0
        .ascii  "ASDFGHJKL:\"~"
        .byte   0
        .ascii  "|ZXCVBNM<>?"
        .byte   0, '*', 0, ' '
