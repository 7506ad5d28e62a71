// Lesson 13. A boot sector: the BIOS has loaded these 512 bytes to 0x7c00 and jumped to the first of them.
//
//   1. Write the question to the screen: INT 10h with AH = 0x0e and BX = 7 writes the character in AL.
//   2. Wait for a key: INT 16h with AH = 0 gives its scan code in AH and its character in AL.
//      Store AX at 0x600, and write the character behind the question.
//   3. Ask how much memory there is below 1 MiB: INT 12h gives the KiB in AX. Store them at 0x602.

.code16
.globl _start
_start:
        ljmp    $0, $1f                 // some BIOSes come with 07C0:0000: now CS is 0
1:      xor     %ax, %ax
        mov     %ax, %ds                // addresses below are linked for segment 0
        mov     %ax, %ss
        mov     $_start, %sp            // the stack grows down from here
        cld

        mov     $question, %si          // your code

done:   cli
        hlt

question:
        .asciz  "Which key? "

        .org    510
        .word   0xaa55
