# Prints fw_cfg's items, raw, to port E9: signature, features, RAM, CPUs, and the first 8 bytes of the file opt/test, found in the directory.
# Then it ends by QEMU's isa-debug-exit at F4.
        .code16
        .globl  _start
_start:
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7c00, %sp
        cld
        mov     $items, %si
1:      lodsw                           # item, count
        cmp     $0xffff, %ax
        je      2f
        mov     $0x510, %dx
        out     %ax, %dx
        lodsw
        mov     %ax, %cx
        call    print
        jmp     1b
2:      mov     $0x510, %dx             # the directory: its length is big-endian
        mov     $0x19, %ax
        out     %ax, %dx
        inc     %dx
        mov     $length, %di
        mov     $4, %cx
        rep insb
        mov     length + 3, %bl
3:      mov     $entry, %di
        mov     $64, %cx
        rep insb
        mov     $entry + 8, %si
        mov     $name, %di
        mov     $9, %cx
        repe cmpsb
        je      4f
        dec     %bl
        jnz     3b
        jmp     end
4:      mov     entry + 4, %ax
        xchg    %al, %ah
        mov     $0x510, %dx
        out     %ax, %dx
        mov     $8, %cx
        call    print
end:    mov     $0x10, %al
        out     %al, $0xf4
        cli
        hlt
print:  mov     $0x511, %dx
5:      in      %dx, %al
        out     %al, $0xe9
        loop    5b
        ret
items:  .word   0, 6, 1, 4, 3, 8, 5, 2, 0x0f, 2, 0xffff
name:   .asciz  "opt/test"
        .org    510
        .word   0xaa55
        .set    length, 0x8000
        .set    entry, 0x8010
