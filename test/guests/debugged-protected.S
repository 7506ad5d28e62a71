# Something to debug in protected mode: calls, a loop, a counter in memory, a line on the console.
        .code32
        .globl  _start
_start: mov     $0x90000, %esp
        mov     $3, %ebx
again:  call    count
        dec     %ebx
        jnz     again
        call    print
        cli
        hlt

count:  push    %ebx
        incl    counter
        pop     %ebx
        ret

print:  mov     $text, %esi
        mov     $text_end - text, %ecx
        mov     $0xe9, %edx
        rep outsb
        ret

        .balign 16
counter: .long  0x41
text:   .ascii  "counted\n"
text_end:
