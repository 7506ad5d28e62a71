// A boot sector that makes of QEMU's PC, whose BIOS has already used the screen, what a guest of Terrarium finds: our font in
// plane 2, an empty screen, the cursor in its corner. Then it puts the guest's image to address 0 and jumps to it. On the
// floppy's first track are this sector, 16 of the font (32 bytes a glyph) and one of the guest.

#define BUFFER 0x2000                   // a segment
#define FONT_BYTES 8192
#define IMAGE_BYTES 512

.code16
.globl _start
_start: cli
        cld
        xor     %ax, %ax
        mov     %ax, %ss
        mov     $0x7c00, %sp

        // INT 13h, function 2: read 17 sectors from sector 2 on to ES:BX. DL is the drive, as the BIOS left it.
        sti
        mov     $BUFFER, %ax
        mov     %ax, %es
        xor     %bx, %bx
        mov     $0x0211, %ax
        mov     $0x0002, %cx
        xor     %dh, %dh
        int     $0x13
        cli
        cld
        mov     $BUFFER, %ax
        mov     %ax, %ds

        // The font goes to A0000, with only plane 2 in the map mask.
        mov     $0x3c4, %dx
        mov     $0x0402, %ax
        out     %ax, %dx
        mov     $0x0604, %ax
        out     %ax, %dx
        mov     $0x3ce, %dx
        mov     $0x0005, %ax
        out     %ax, %dx
        mov     $0x0406, %ax
        out     %ax, %dx
        mov     $0xa000, %ax
        mov     %ax, %es
        xor     %si, %si
        xor     %di, %di
        mov     $(FONT_BYTES / 2), %cx
        rep movsw
        mov     $0x3c4, %dx
        mov     $0x0302, %ax
        out     %ax, %dx
        mov     $0x0204, %ax
        out     %ax, %dx
        mov     $0x3ce, %dx
        mov     $0x1005, %ax
        out     %ax, %dx
        mov     $0x0e06, %ax
        out     %ax, %dx

        mov     $0xb800, %ax
        mov     %ax, %es
        xor     %di, %di
        mov     $0x0720, %ax
        mov     $0x4000, %cx
        rep stosw
        mov     $0x3d4, %dx
        mov     $0x000e, %ax
        out     %ax, %dx
        mov     $0x000f, %ax
        out     %ax, %dx

        xor     %ax, %ax                // the guest is after the font, where SI points now
        mov     %ax, %es
        xor     %di, %di
        mov     $(IMAGE_BYTES / 2), %cx
        rep movsw
        ljmp    $0, $0

.org 510
        .word   0xaa55
