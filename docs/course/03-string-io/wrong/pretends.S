// refused: mem[0x600]="another tape, whose bytes nobody can have written down before..."
.code16
.globl _start
_start:
        mov     $text, %si
        mov     $0x600, %di
        mov     $64, %cx
        rep movsb
        rep insb
        hlt
text:   .ascii  "sixty-four bytes from a tape that never ends, over and over....."
