// An interrupt table without entries: the #UD cannot be delivered, nor the #GP that follows, nor the double fault. (Not in
// real mode: where KVM emulates that, it does not look at the table's limit.)
.code32
        lidt    empty
        ud2
empty:  .word   0
        .long   0
