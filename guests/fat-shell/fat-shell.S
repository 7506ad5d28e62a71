# A floppy with the FAT12 file system, written down sector by sector: a boot sector that finds SHELL.BIN in the root directory and loads it
# by its chain of clusters, the two copies of the table, the directory, and two files. Microsoft's "FAT32 File System Specification" 1.03
# has the layout. Everything is linked for where it ends up in memory: behind the boot sector at 7C00 as in the file.

        .code16
        .globl  _start
        .equ    ROOT, 0x1000            # the directory's first sector goes here
        .equ    FAT, 0x2000             # and the table
        .equ    FILE, 0x4000            # what TYPE reads
        .equ    FAT_SECTOR, 1
        .equ    ROOT_SECTOR, 19
        .equ    FIRST_CLUSTER, 33 - 2   # clusters count from 2
        .equ    ENTRY, 32
        .equ    ENTRIES, 16             # in one sector
        .equ    LAST, 0xff8             # table entries from this value on end a chain
        .equ    VOLUME, 0x08

_start: jmp     boot
        .org    3
        .ascii  "TERRARIU"
        .word   512                     # bytes a sector
        .byte   1                       # sectors a cluster
        .word   1                       # this sector
        .byte   2                       # tables
        .word   224                     # entries in the root directory
        .word   2880                    # sectors
        .byte   0xf0                    # 1.44 MB
        .word   9                       # sectors a table
        .word   18                      # sectors a track
        .word   2                       # heads
        .long   0, 0
        .byte   0, 0, 0x29
        .long   0x20260101
        .ascii  "TERRARIUM  "
        .ascii  "FAT12   "

boot:   xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7c00, %sp
        cld
        mov     %dl, drive              # the drive from which the BIOS booted
        call    tables
        mov     $shell_name, %si
        call    find
        jc      missing
        mov     $shell, %bx
        call    load
        jmp     shell
missing:
        mov     $no_shell, %si
        call    print
        cli
        hlt

# The table and the directory into memory.
tables: mov     $FAT_SECTOR, %ax
        mov     $FAT, %bx
        mov     $9, %cx
        call    sectors
        mov     $ROOT_SECTOR, %ax
        mov     $ROOT, %bx
        mov     $1, %cx
# CX sectors from AX on to ES:BX.
sectors:
        push    %ax
        push    %cx
        xor     %dx, %dx
        mov     $18, %cx
        div     %cx
        mov     %dl, %cl
        inc     %cl                     # sectors count from 1
        mov     %al, %ch
        shr     %ch                     # cylinder
        and     $1, %al
        mov     %al, %dh                # head
        mov     drive, %dl
        mov     $0x0201, %ax
        int     $0x13
        pop     %cx
        pop     %ax
        jc      broken
        inc     %ax
        add     $512, %bx
        loop    sectors
        ret
broken: mov     $unreadable, %si
        call    print
        cli
        hlt

# DI = the directory entry of the name at SI; carry where there is none.
find:   mov     $ROOT, %di
        mov     $ENTRIES, %cx
1:      push    %cx
        push    %si
        push    %di
        mov     $11, %cx
        repe cmpsb
        pop     %di
        pop     %si
        pop     %cx
        je      2f
        add     $ENTRY, %di
        loop    1b
        stc
2:      ret

# The file of the entry at DI to ES:BX, cluster by cluster.
load:   mov     26(%di), %ax
1:      push    %ax
        add     $FIRST_CLUSTER, %ax
        mov     $1, %cx
        call    sectors
        pop     %ax
        mov     %ax, %si                # 12 bits each: cluster * 3 / 2
        shr     %si
        add     %ax, %si
        test    $1, %al
        mov     FAT(%si), %ax
        jz      2f
        shr     $4, %ax
2:      and     $0xfff, %ax
        cmp     $LAST, %ax
        jb      1b
        ret

print:  lodsb
        test    %al, %al
        jz      1f
        call    put
        jmp     print
1:      ret
put:    push    %bx
        mov     $0x0e, %ah
        mov     $0x0007, %bx
        int     $0x10
        pop     %bx
        ret

drive:  .byte   0
shell_name:
        .ascii  "SHELL   BIN"
no_shell:
        .asciz  "SHELL.BIN is not on this disk.\r\n"
unreadable:
        .asciz  "The disk cannot be read.\r\n"
        .org    510
        .word   0xaa55

# The table, twice: SHELL.BIN has clusters 2 and 3, HELLO.TXT has 4.
        .macro  table
        .byte   0xf0, 0xff, 0xff        # entries 0 and 1 are no clusters
        .byte   0x03, 0xf0, 0xff        # 2: continues in 3; 3: the last
        .byte   0xff, 0x0f, 0x00        # 4: the last
        .endm
        .org    1 * 512
        table
        .org    10 * 512
        table

        .macro  entry name, attributes, cluster, size
        .ascii  "\name"
        .byte   \attributes
        .fill   10
        .word   0x6000, 0x5c21          # 12:00, 1 January 2026
        .word   \cluster
        .long   \size
        .endm
        .org    19 * 512
        entry   "TERRARIUM  ", VOLUME, 0, 0
        entry   "SHELL   BIN", 0x20, 2, (shell_end-shell)
        entry   "HELLO   TXT", 0x20, 4, (readme_end-readme)

        .org    33 * 512
shell:  mov     $banner, %si
        call    print
prompt: mov     $ready, %si
        call    print
        call    read_line
        mov     $line, %si
        cmpb    $0, (%si)
        je      prompt
        mov     $commands, %bx
1:      mov     (%bx), %di
        test    %di, %di
        jz      unknown
        mov     $line, %si
2:      mov     (%di), %al
        test    %al, %al
        jz      3f
        cmpsb
        je      2b
        add     $4, %bx
        jmp     1b
3:      call    *2(%bx)                 # SI: the text after the word
        jmp     prompt
unknown:
        mov     $what, %si
        call    print
        jmp     prompt

commands:
        .word   dir_word, dir, type_word, type, exit_word, exit, 0
dir_word:
        .asciz  "DIR"
type_word:
        .asciz  "TYPE "
exit_word:
        .asciz  "EXIT"

# A line of the keyboard in capitals, with its backspaces.
read_line:
        mov     $line, %di
1:      xor     %ah, %ah
        int     $0x16
        cmp     $13, %al
        je      4f
        cmp     $8, %al
        je      3f
        cmp     $' ', %al
        jb      1b
        cmp     $line + 40, %di
        jae     1b
        call    put
        cmp     $'a', %al
        jb      2f
        cmp     $'z', %al
        ja      2f
        and     $0xdf, %al
2:      stosb
        jmp     1b
3:      cmp     $line, %di
        je      1b
        dec     %di
        mov     $rubout, %si
        call    print
        jmp     1b
4:      movb    $0, (%di)
        mov     $newline, %si
        jmp     print

# Each file with its size.
dir:    mov     $ROOT, %di
        mov     $ENTRIES, %cx
1:      cmpb    $0, (%di)
        je      3f
        testb   $VOLUME, 11(%di)
        jnz     2f
        push    %cx
        mov     %di, %si
        mov     $8, %cx
        call    letters
        mov     $' ', %al
        call    put
        mov     $3, %cx
        call    letters
        mov     $gap, %si
        call    print
        mov     28(%di), %ax
        call    number
        mov     $newline, %si
        call    print
        pop     %cx
2:      add     $ENTRY, %di
        loop    1b
3:      ret
letters:
        lodsb
        call    put
        loop    letters
        ret

# The number in AX.
number: xor     %cx, %cx
        mov     $10, %bx
1:      xor     %dx, %dx
        div     %bx
        push    %dx
        inc     %cx
        test    %ax, %ax
        jnz     1b
2:      pop     %ax
        add     $'0', %al
        call    put
        loop    2b
        ret

# A file's text. Its name at SI becomes one of eight letters and three.
type:   mov     $name, %di
        push    %di
        mov     $11, %cx
        mov     $' ', %al
        rep stosb
        pop     %di
1:      lodsb
        test    %al, %al
        jz      3f
        cmp     $'.', %al
        je      2f
        cmp     $name + 11, %di
        jae     1b
        stosb
        jmp     1b
2:      mov     $name + 8, %di
        jmp     1b
3:      mov     $name, %si
        call    find
        jc      4f
        mov     28(%di), %cx
        push    %cx
        mov     $FILE, %bx
        call    load
        pop     %cx
        mov     $FILE, %si
        jmp     letters
4:      mov     $no_file, %si
        jmp     print

exit:   mov     $bye, %si
        call    print
        cli
        hlt

banner: .asciz  "A shell of two sectors. DIR, TYPE NAME, EXIT.\r\n"
ready:  .asciz  "A> "
what:   .asciz  "What is that?\r\n"
no_file:
        .asciz  "No such file.\r\n"
bye:    .asciz  "Bye.\r\n"
gap:    .asciz  "  "
newline:
        .asciz  "\r\n"
rubout: .asciz  "\b \b"
shell_end:
        .equ    line, 0x0600
        .equ    name, 0x0640

        .org    35 * 512
readme: .ascii  "This floppy is one source file: fat-shell.S.\r\n"
readme_end:
        .org    36 * 512
