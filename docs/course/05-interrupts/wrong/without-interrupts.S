// refused: console="....."
.code16
.globl _start
_start:
        movw    $5, (0x600)
        cli
        hlt
