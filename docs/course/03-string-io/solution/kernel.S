// Lesson 3, one way to do it.

.code16
.globl _start
_start:
        mov     $0x300, %dx             // DX: the port
        mov     $0x600, %di             // ES:DI: where to
        mov     $64, %cx                // CX: how many
        cld                             // upwards
        rep insb
        hlt
