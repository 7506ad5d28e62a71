// Lesson 14, solved.

.code16
.globl _start
_start:
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $_start, %sp
        cld

        mov     $0x8000, %bx
        mov     $0x0211, %ax            // 17 sectors: the rest of the first track
        mov     $0x0002, %cx            // cylinder 0, sector 2
        xor     %dh, %dh                // head 0
        int     $0x13
        jc      failed
        mov     $0x8000 + 17 * 512, %bx
        mov     $0x0201, %ax            // and the first one under the other head
        mov     $0x0001, %cx
        mov     $1, %dh
        int     $0x13
        jc      failed

        mov     $0xb000, %bx
        mov     $0x0201, %ax
        mov     $0x0013, %cx            // sector 19
        xor     %dh, %dh
        int     $0x13
        mov     %ax, 0x600

        mov     $0x8000, %si
        mov     $18 * 256, %cx
        xor     %bx, %bx
sum:    lodsw
        add     %ax, %bx
        loop    sum
        mov     %bx, %ax
        jmp     done

failed: mov     $'F', %al               // say so
        mov     $0x0e, %ah
        mov     $7, %bx
        int     $0x10

done:   cli
        hlt

        .org    510
        .word   0xaa55

// What is to be read: 18 sectors.
        .ascii  "disk"
        .word   0xa099                  // it makes the sum of all words 0x1234
        .fill   4603, 2, 0x0101
        .ascii  "end!"
        .org    1474560                 // a floppy disk: 80 cylinders, 2 heads, 18 sectors of 512 bytes a track
