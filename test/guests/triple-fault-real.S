// An interrupt table without entries: the #UD cannot be delivered, nor the #GP that follows, nor the double fault.
.code16
        lidtl   empty
        ud2
empty:  .word   0
        .long   0
