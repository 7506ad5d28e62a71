// Lesson 13, solved.

.code16
.globl _start
_start:
        ljmp    $0, $1f                 // some BIOSes come with 07C0:0000: now CS is 0
1:      xor     %ax, %ax
        mov     %ax, %ds                // addresses below are linked for segment 0
        mov     %ax, %ss
        mov     $_start, %sp            // the stack grows down from here
        cld

        mov     $question, %si
next:   lodsb                           // AL = the byte at DS:SI; SI = SI + 1
        test    %al, %al                // the text ends with a zero byte
        jz      ask
        call    write
        jmp     next

ask:    xor     %ah, %ah
        int     $0x16
        mov     %ax, 0x600
        call    write

        int     $0x12
        mov     %ax, 0x602

done:   cli
        hlt

write:  mov     $0x0e, %ah
        mov     $7, %bx                 // page 0; the colour is for graphics modes
        int     $0x10
        ret

question:
        .asciz  "Which key? "

        .org    510
        .word   0xaa55
