# A bzImage whose kernel says by which entry it was started, its command line, and the first bytes of its initial file system.
# "Documentation/arch/x86/boot.rst" of Linux is the manual. Linked for address 0 as flat bytes: all addresses are made relative.

        .code16
        .org    0x1f1
        .byte   1                       # setup_sects: the boot sector and one more
        .word   0
        .long   (kernel_end - kernel) / 16
        .word   0, 0xffff, 0
        .word   0xaa55
        .byte   0xeb, setup - 1f        # jump behind the header
1:      .ascii  "HdrS"
        .word   0x020f
        .long   0
        .word   0, 0
        .byte   0, 0x81                 # type_of_loader, loadflags: LOADED_HIGH, CAN_USE_HEAP
        .word   0
code32_start:
        .long   0x100000
ramdisk_image:
        .long   0, 0
        .long   0
        .word   0
        .byte   0, 0
cmd_line_ptr:
        .long   0
        .long   0x7fffffff              # initrd_addr_max
        .long   0x200000                # kernel_alignment
        .byte   1, 21                   # relocatable_kernel, min_alignment
        .word   1                       # xloadflags: a 64-bit entry
        .long   255                     # cmdline_size
        .long   0
        .quad   0
        .long   0, 0
        .quad   0
        .quad   0x1000000               # pref_address
        .long   0x10000                 # init_size
        .long   0

# 16 bits: DS is where the boot sector lies, CS 20h above.
setup:  mov     $'1', %al
        out     %al, $0xe9
        mov     $'6', %al
        out     %al, $0xe9
        mov     $' ', %al
        out     %al, $0xe9
        mov     cmd_line_ptr, %eax
        mov     %eax, %ebx
        shr     $4, %eax
        mov     %ax, %fs
        and     $15, %bx
2:      mov     %fs:(%bx), %al
        inc     %bx
        test    %al, %al
        jz      3f
        out     %al, $0xe9
        jmp     2b
3:      mov     $' ', %al
        out     %al, $0xe9
        mov     $'0', %al               # the size of the initial file system, below 10 bytes
        add     ramdisk_image + 4, %al
        out     %al, $0xe9
        mov     $'\n', %al
        out     %al, $0xe9
        cli
        hlt

        .org    0x400
kernel:
# 32 bits: ESI is the zero page.
        .code32
        mov     $'3', %al
        out     %al, $0xe9
        mov     $'2', %al
        out     %al, $0xe9
        mov     0x228(%esi), %ebx       # hdr.cmd_line_ptr
        mov     0x218(%esi), %edi       # hdr.ramdisk_image
        mov     0x21c(%esi), %ecx       # hdr.ramdisk_size
        mov     $' ', %al
        out     %al, $0xe9
2:      mov     (%ebx), %al
        inc     %ebx
        test    %al, %al
        jz      3f
        out     %al, $0xe9
        jmp     2b
3:      mov     $' ', %al
        out     %al, $0xe9
        jecxz   5f
4:      mov     (%edi), %al
        inc     %edi
        out     %al, $0xe9
        dec     %ecx
        jnz     4b
5:      mov     $'\n', %al
        out     %al, $0xe9
        cli
        hlt

        .org    0x600
# 64 bits: RSI is the zero page.
        .code64
        mov     $'6', %al
        out     %al, $0xe9
        mov     $'4', %al
        out     %al, $0xe9
        mov     0x228(%rsi), %ebx
        mov     0x218(%rsi), %edi
        mov     0x21c(%rsi), %ecx
        mov     $' ', %al
        out     %al, $0xe9
2:      mov     (%rbx), %al
        inc     %rbx
        test    %al, %al
        jz      3f
        out     %al, $0xe9
        jmp     2b
3:      mov     $' ', %al
        out     %al, $0xe9
        test    %ecx, %ecx
        jz      5f
4:      mov     (%rdi), %al
        inc     %rdi
        out     %al, $0xe9
        dec     %ecx
        jnz     4b
5:      mov     $'\n', %al
        out     %al, $0xe9
        cli
        hlt
        .balign 16
kernel_end:
