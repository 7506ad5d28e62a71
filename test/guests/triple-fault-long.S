// As triple-fault-protected, in long mode.
.code64
        lidt    empty(%rip)
        ud2
empty:  .word   0
        .quad   0
