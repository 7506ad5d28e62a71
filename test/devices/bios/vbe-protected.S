# VBE's interface for protected mode, by a boot sector: asks for it (AX=4F0Ah), copies it to 0x20000, and calls its three functions from
# flat 32-bit code. To port E9 go: AX of each call, and what the display's registers say after it.
        .code16
        .globl  _start
_start: ljmp    $0, $1f
1:      xor     %ax, %ax
        mov     %ax, %ss
        mov     $0x7000, %sp
        mov     %ax, %ds
        mov     $0x4f02, %ax            # 640 by 480 in 8 bits, linear
        mov     $0x4101, %bx
        int     $0x10
        mov     $0x4f0a, %ax
        xor     %bx, %bx
        int     $0x10
        call    word16
        mov     %di, %si
        mov     %es, %ax
        mov     %ax, %ds
        mov     $0x2000, %ax
        mov     %ax, %es
        xor     %di, %di
        cld
        rep movsb
        xor     %ax, %ax
        mov     %ax, %ds
        cli
        lgdt    table
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmp    $8, $flat
word16: out     %al, $0xe9
        xchg    %al, %ah
        out     %al, $0xe9
        xchg    %al, %ah
        ret
        .code32
flat:   mov     $16, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7000, %esp
        mov     $0x20000, %ebp
        # The picture begins at line 5, pixel 16.
        mov     $(640 * 5 + 16) / 4, %ecx
        xor     %edx, %edx
        xor     %ebx, %ebx
        mov     $2, %esi
        call    function
        mov     $8, %cl
        call    register
        mov     $9, %cl
        call    register
        # The bank: of a linear mode it can be set, too.
        xor     %ebx, %ebx
        mov     $2, %edx
        xor     %esi, %esi
        call    function
        mov     $5, %cl
        call    register
        # Two colours from 200 on.
        mov     $2, %ecx
        mov     $200, %edx
        xor     %ebx, %ebx
        mov     $colours, %edi
        mov     $4, %esi
        call    function
        mov     $0x3c7, %edx
        mov     $201, %al
        out     %al, %dx
        mov     $0x3c9, %edx
        mov     $3, %ecx
1:      in      %dx, %al
        out     %al, $0xe9
        loop    1b
        # What the functions do not do.
        mov     $1, %ebx
        mov     $2, %esi
        call    function
        hlt
# Calls the function at word ESI of the table, and reports AX.
function:
        movzwl  (%ebp,%esi), %eax
        add     %ebp, %eax
        call    *%eax
        jmp     word32
register:
        mov     $0x1ce, %edx
        movzbl  %cl, %eax
        out     %ax, %dx
        inc     %edx
        in      %dx, %ax
word32: out     %al, $0xe9
        mov     %ah, %al
        out     %al, $0xe9
        ret
colours: .byte  1, 2, 3, 0, 4, 5, 6, 0
        .balign 8
gdt:    .quad   0, 0x00cf9b000000ffff, 0x00cf93000000ffff
table:  .word   . - gdt - 1
        .long   gdt
        .org    510
        .word   0xaa55
