# Something to debug: calls, a loop, a counter in memory, a line on the console.
        .globl  _start
_start: mov     $0x90000, %esp
        mov     $3, %ebx
again:  call    count
        dec     %ebx
        jnz     again
        call    print
        cli
        hlt

count:  push    %rbx
        incl    counter(%rip)
        pop     %rbx
        ret

print:  lea     text(%rip), %rsi
        mov     $text_end - text, %ecx
        mov     $0xe9, %edx
        rep outsb
        ret

        .balign 16
counter: .long  0x41
text:   .ascii  "counted\n"
text_end:
