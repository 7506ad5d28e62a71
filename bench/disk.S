// Reads a disk as fast as it goes: sectors by PIO (READ SECTORS, REP INSW), or by the PIIX' bus master. A multiboot kernel, so that QEMU
// runs the very same. MODE: 0 PIO, 1 DMA; COMMANDS: how many commands of 256 sectors.

.code32
.section .text
.globl _start
.balign 4
        .long   0x1badb002, 0, -0x1badb002
_start:
        cld
        mov     $COMMANDS, %ebp
        mov     $0x3f6, %edx                    // no interrupts
        mov     $2, %al
        out     %al, %dx
#if MODE == 1
        mov     $0x80000904, %eax               // the IDE function is a bus master under every firmware
        mov     $0xcf8, %edx
        out     %eax, %dx
        mov     $0xcfc, %edx
        mov     $5, %eax
        out     %ax, %dx
        mov     $0x80000920, %eax               // its ports
        mov     $0xcf8, %edx
        out     %eax, %dx
        mov     $0xcfc, %edx
        mov     $0xc001, %eax
        out     %eax, %dx
        movl    $0x200000, 0x2000               // two regions of 64 KiB
        movl    $0, 0x2004
        movl    $0x210000, 0x2008
        movl    $0x80000000, 0x200c
        mov     $0xc004, %edx
        mov     $0x2000, %eax
        out     %eax, %dx
#endif
next:   mov     $0x1f6, %edx
        mov     $0xe0, %al
        out     %al, %dx
        xor     %eax, %eax
        mov     $0x1f2, %edx                    // 256 sectors from the first on
        out     %al, %dx
        inc     %edx
        out     %al, %dx
        inc     %edx
        out     %al, %dx
        inc     %edx
        out     %al, %dx
#if MODE == 1
        mov     $0xc002, %edx
        mov     $6, %al
        out     %al, %dx
        mov     $0x1f7, %edx
        mov     $0xc8, %al
        out     %al, %dx
        mov     $0xc000, %edx
        mov     $9, %al
        out     %al, %dx
        mov     $0xc002, %edx
wait:   in      %dx, %al
        test    $1, %al
        jnz     wait
        mov     $0x1f7, %edx
        in      %dx, %al
        mov     $0xc000, %edx
        xor     %eax, %eax
        out     %al, %dx
#else
        mov     $0x1f7, %edx
        mov     $0x20, %al
        out     %al, %dx
        mov     $256, %esi
        mov     $0x200000, %edi
sector: mov     $0x1f7, %edx
ready:  in      %dx, %al
        test    $0x88, %al
        jz      ready
        js      ready
        mov     $0x1f0, %edx
        mov     $256, %ecx
        rep     insw
        dec     %esi
        jnz     sector
#endif
        dec     %ebp
        jnz     next
        mov     $0x501, %edx                    // QEMU's debug exit, and this monitor's
        mov     $0x10, %al
        out     %al, %dx
        hlt
