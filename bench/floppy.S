// Reads a floppy by INT 13h, a track of 18 sectors a call, COMMANDS times; then it ends by QEMU's isa-debug-exit at 501h. A boot sector,
// so that a BIOS of ours and SeaBIOS in QEMU run the very same.
.code16
.globl _start
_start:
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7c00, %sp
        mov     $0x1000, %ax
        mov     %ax, %es
        mov     $COMMANDS, %ebp
        xor     %di, %di                // the track
next:   mov     %di, %ax
        mov     %al, %ch
        shr     $1, %ch                 // cylinder
        and     $1, %al
        mov     %al, %dh                // head
        mov     $1, %cl
        xor     %dl, %dl
        xor     %bx, %bx
        mov     $0x0212, %ax
        int     $0x13
        jc      failed
        inc     %di
        cmp     $160, %di
        jb      1f
        xor     %di, %di
1:      dec     %ebp
        jnz     next
        mov     $0x10, %al
        jmp     end
failed: mov     $0x11, %al
end:    mov     $0x501, %dx
        out     %al, %dx
        cli
        hlt
        .org    510
        .word   0xaa55
