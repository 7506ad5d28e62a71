// Touches addresses that no memory answers, with each size that 32-bit code has: in the middle of a hole, across the end
// of RAM (which must be 2 MiB), and at the very end of the 4 GiB. EBX counts bytes that did not read as all ones; where
// RAM's own bytes are part of an access, they are all ones too. EAX is 0xD0E at the end.
.code32
.macro touch address
        mov     $\address, %esi
        call    access
.endm
.globl _start
_start:
        xor     %ebx, %ebx
        movl    $-1, 0x1ffffc           // RAM's last bytes: half of the accesses that cross the end

        touch   0xd0000000
        touch   0xd0000001              // not aligned
        touch   0xd0000ffd              // across a page's end
        touch   0x1fffff                // across the end of RAM
        touch   0x1ffffe
        touch   0x1ffffd
        touch   0xfffffffc              // the last bytes there are

        mov     $0xd0e, %eax
hang:   hlt
        jmp     hang

// Reads 1, 2 and 4 bytes at ESI, then writes ones there.
access:
        mov     (%esi), %al
        cmp     $0xff, %al
        je      1f
        inc     %ebx
1:      mov     (%esi), %ax
        cmp     $0xffff, %ax
        je      2f
        inc     %ebx
2:      mov     (%esi), %eax
        cmp     $-1, %eax
        je      3f
        inc     %ebx
3:      mov     $-1, %eax
        mov     %al, (%esi)
        mov     %ax, (%esi)
        mov     %eax, (%esi)
        ret
