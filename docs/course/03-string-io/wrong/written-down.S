// refused: source~=/\brep\b[\s;]*ins/
.code16
.globl _start
_start:
        mov     $text, %si
        mov     $0x600, %di
        mov     $64, %cx
        rep movsb
        hlt
text:   .ascii  "sixty-four bytes from a tape that never ends, over and over....."
