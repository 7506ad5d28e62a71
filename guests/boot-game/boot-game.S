# A game in a boot sector: collect five gems with the arrow keys, or h, j, k, l. It works on any PC: it uses only the BIOS.

        .code16
        .globl  _start
_start:
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7c00, %sp
        cld
        mov     $0x0003, %ax            # text of 80 by 25, an empty screen
        int     $0x10
        mov     $0x01, %ah              # no cursor
        mov     $0x2000, %cx
        int     $0x10

        mov     $gems, %si
1:      lodsw                           # row and column of a gem
        test    %ax, %ax
        jz      turn
        mov     %ax, %dx
        mov     $0x0e04, %ax            # a yellow diamond of code page 437
        call    draw
        jmp     1b

turn:   mov     place, %dx
        mov     $0x0f40, %ax            # a white @
        call    draw
        xor     %ah, %ah                # wait for a key
        int     $0x16
        push    %ax
        mov     place, %dx
        mov     $0x0720, %ax
        call    draw
        pop     %ax
        mov     $keys, %si
1:      mov     (%si), %bx              # a character and a scan code, the step in rows and columns
        test    %bx, %bx
        jz      turn
        cmp     %bl, %al
        je      2f
        cmp     %bh, %ah
        je      2f
        add     $4, %si
        jmp     1b
2:      mov     place, %dx
        add     3(%si), %dh
        add     2(%si), %dl
        cmp     $25, %dh                # the edges; a step beyond 0 is 255
        jae     turn
        cmp     $80, %dl
        jae     turn
        mov     %dx, place
        incw    moves
        call    seek
        mov     $0x08, %ah              # what is on the new place?
        int     $0x10
        cmp     $0x04, %al
        jne     turn
        decb    left
        jnz     turn

        mov     place, %dx
        mov     $0x0f40, %ax
        call    draw
        xor     %dx, %dx
        call    seek
        mov     $won, %si
        call    print
        mov     moves, %ax
        call    number
        mov     $end, %si
        call    print
        cli
        hlt

# Writes the character AL with the attribute AH at row DH, column DL.
draw:   push    %ax
        call    seek
        pop     %ax
        mov     %ah, %bl
        mov     $0x09, %ah
        mov     $1, %cx
        int     $0x10
        ret

seek:   mov     $0x02, %ah
        xor     %bx, %bx
        int     $0x10
        ret

# Writes AX in decimal.
number: mov     $10, %cx
        xor     %dx, %dx
        div     %cx
        push    %dx
        test    %ax, %ax
        jz      1f
        call    number
1:      pop     %ax
        add     $'0', %al
type:   mov     $0x0e, %ah
        mov     $0x0007, %bx
        int     $0x10
        ret

print:  lodsb
        test    %al, %al
        jz      1f
        call    type
        jmp     print
1:      ret

place:  .byte   40, 12
moves:  .word   0
left:   .byte   5
gems:   .byte   42, 12, 42, 10, 38, 10, 38, 14, 40, 14, 0, 0
keys:   .byte   'h', 0x4b, -1, 0
        .byte   'l', 0x4d, 1, 0
        .byte   'k', 0x48, 0, -1
        .byte   'j', 0x50, 0, 1
        .word   0
won:    .asciz  "Five gems in "
end:    .asciz  " moves\r\n"

        .org    510
        .word   0xaa55
