// refused: source~=/\b(?:add|lea|shl|sal|imul|mul)[wl]?\b/
.code16
.globl _start
_start:
        mov     $42, %ax
        mov     $84, %bx
        hlt
