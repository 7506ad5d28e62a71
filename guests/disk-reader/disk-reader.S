# A boot sector that reads from its disk: the BIOS loads only this sector, the text is in the two after it.

        .code16
        .globl  _start
        .equ    BUFFER, 0x9000
_start:
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7c00, %sp
        cld
        mov     $3, %di                 # a real floppy drive may need some tries until its motor is up to speed
again:  mov     $0x0202, %ax            # read 2 sectors
        mov     $BUFFER, %bx            # to ES:BX
        mov     $0x0002, %cx            # from cylinder 0, sector 2
        mov     $0, %dh                 # head 0; DL is the drive that the BIOS booted
        int     $0x13
        jnc     read
        xor     %ah, %ah                # reset the drive, and try again
        int     $0x13
        dec     %di
        jnz     again
        mov     $failed, %si
        call    print
        jmp     end

read:   mov     $BUFFER, %si
        call    print
        mov     $BUFFER + 512, %si
        call    print
end:    cli
        hlt

print:  lodsb
        test    %al, %al
        jz      1f
        mov     $0x0e, %ah
        mov     $0x0007, %bx
        int     $0x10
        jmp     print
1:      ret

failed: .asciz  "The disk cannot be read.\r\n"

        .org    510
        .word   0xaa55

        .asciz  "Sector 2: the BIOS left this on the disk.\r\n"
        .org    1024
        .asciz  "Sector 3: so did it with this.\r\n"
        .org    1536
