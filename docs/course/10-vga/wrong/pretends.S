// refused: mem32[0xb83c0]=0x1f201f20
.code16
.globl _start
_start:
        cli
        mov     $0xb800, %ax
        mov     %ax, %es
        movw    $0x1f20, %es:0
        movw    $0x1f20, %es:0xf9e
        movl    $0x1fcd1fc9, %es:0x71c
        movl    $0x1fbb1fcd, %es:0x740
        movw    $0x1fba, %es:0x7bc
        movw    $0x1fba, %es:0x7e2
        movl    $0x1fcd1fc8, %es:0x85c
        movl    $0x1fbc1fcd, %es:0x880
        mov     $word, %si
        mov     $0x7c6, %di
        mov     $0x1e, %ah
next:   lodsb
        test    %al, %al
        jz      done
        stosw
        jmp     next
done:   hlt
word:   .asciz  "Terrarium"
