# A kernel for PVH that prints its command line, and its modules with their bytes. Xen's docs/misc/pvh.pandoc is the manual.

        .section .note.Xen, "a", @note
        .long   4, 4, 18                # XEN_ELFNOTE_PHYS32_ENTRY
        .asciz  "Xen"
        .long   start

        .text
        .code32
        .globl  _start
_start: ud2                             # the file's own entry is another one
start:  cmpl    $0x336ec578, (%ebx)
        jne     halt
        mov     $stack, %esp
        mov     24(%ebx), %esi          # cmdline_paddr
        call    text
        mov     12(%ebx), %ecx          # nr_modules
        mov     16(%ebx), %edx          # modlist_paddr
1:      jecxz   3f
        mov     $' ', %al
        out     %al, $0xe9
        mov     (%edx), %esi            # paddr, size
        mov     8(%edx), %edi
2:      lodsb
        out     %al, $0xe9
        dec     %edi
        jnz     2b
        add     $32, %edx
        dec     %ecx
        jmp     1b
3:      mov     $'\n', %al
        out     %al, $0xe9
halt:   cli
        hlt

text:   lodsb
        test    %al, %al
        jz      4f
        out     %al, $0xe9
        jmp     text
4:      ret

        .bss
        .skip   256
stack:
