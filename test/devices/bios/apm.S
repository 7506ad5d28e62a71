# APM's interfaces for protected mode (APM BIOS Interface Specification 1.2), by a boot sector: connects one after the other, calls its
# entry, and writes to port E9 what comes back: CF, AH and AL of each call. At last it switches the machine off.
        .code16
        .globl  _start
_start: ljmp    $0, $1f
1:      xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7000, %sp
        mov     $0x5300, %ax            # is there APM, with both interfaces?
        xor     %bx, %bx
        int     $0x15
        mov     %cl, %al
        and     $3, %al
        out     %al, $0xe9

        mov     $0x5302, %ax
        xor     %bx, %bx
        int     $0x15
        jc      failed
        mov     %bx, entry16
        mov     $code16 + 2, %di
        call    base                    # AX: the code's segment
        mov     %cx, %ax
        mov     $data16 + 2, %di
        call    base
        mov     $1f, %ebp
        jmp     protected
1:      mov     $calls, %si
2:      lodsw
        test    %ax, %ax
        jz      1f
        xor     %bx, %bx
        inc     %bx
        push    %si
        lcall   *entry16
        pop     %si
        call    report
        jmp     2b
1:      mov     $1f, %ebp
        jmp     real
1:      mov     $0x5304, %ax
        xor     %bx, %bx
        int     $0x15

        mov     $0x5303, %ax
        xor     %bx, %bx
        int     $0x15
        jc      failed
        mov     %ebx, entry32
        push    %dx
        mov     $code32 + 2, %di
        call    base
        mov     %cx, %ax
        mov     $code32_16 + 2, %di
        call    base
        pop     %ax
        mov     $data32 + 2, %di
        call    base
        mov     $1f, %ebp
        jmp     protected
1:      ljmp    $0x08, $2f
        .code32
2:      mov     $calls, %esi
3:      lodsw
        test    %ax, %ax
        jz      4f
        mov     $1, %ebx
        push    %esi
        lcall   *entry32
        pop     %esi
        mov     %eax, %edx
        setc    %al
        out     %al, $0xe9
        mov     %dh, %al
        out     %al, $0xe9
        mov     %dl, %al
        out     %al, $0xe9
        jmp     3b
4:      mov     $0x5307, %eax
        mov     $1, %ebx
        mov     $3, %ecx
        lcall   *entry32
        .code16
failed: mov     $0xee, %al
        out     %al, $0xe9
        cli
        hlt
report: mov     %ax, %dx
        setc    %al
        out     %al, $0xe9
        mov     %dh, %al
        out     %al, $0xe9
        mov     %dl, %al
        out     %al, $0xe9
        ret
# A descriptor's base from the segment in AX.
base:   movzwl  %ax, %eax
        shl     $4, %eax
        mov     %ax, (%di)
        shr     $16, %eax
        mov     %al, 2(%di)
        ret
# To 16-bit protected mode and on at BP, and back.
protected:
        cli
        lgdt    table
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmp    $0x18, $1f
1:      mov     $0x10, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        jmp     *%bp
real:   mov     %cr0, %eax
        and     $0xfe, %al
        mov     %eax, %cr0
        ljmp    $0, $1f
1:      xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        sti
        jmp     *%bp
calls:  .word   0x530e, 0x530c, 0x53aa, 0x530b, 0
entry16: .word  0, 0x20
entry32: .long  0
        .word   0x30
        .balign 8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff      # 08: code, 32 bits
        .quad   0x00cf93000000ffff      # 10: data
        .quad   0x00009b000000ffff      # 18: code, 16 bits
code16: .quad   0x00009b000000ffff      # 20, 28: the interface of 16 bits
data16: .quad   0x000093000000ffff
code32: .quad   0x00409b000000ffff      # 30, 38, 40: that of 32 bits
code32_16: .quad 0x00009b000000ffff
data32: .quad   0x000093000000ffff
table:  .word   . - gdt - 1
        .long   gdt
        .org    510
        .word   0xaa55
