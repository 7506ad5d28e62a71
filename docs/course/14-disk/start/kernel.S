// Lesson 14. A boot sector that reads from the disk that it came from. DL is the drive's number.
//
//   1. Read the 18 sectors after this one to 0x8000, by INT 13h: AH = 2, AL how many, CH the cylinder, CL the sector
//      counted from 1, DH the head, DL the drive, ES:BX where to. CF is set where it failed.
//   2. Read one more, sector 19 of cylinder 0, head 0, to 0xb000. There is none: store AX after the call at 0x600.
//   3. Add up the words from 0x8000 to 0xa3ff, and end with the sum in AX.

.code16
.globl _start
_start:
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $_start, %sp
        cld

        mov     $0x8000, %bx            // your code

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
