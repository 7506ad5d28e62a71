// Bytes that are no instruction: FF /7 is not defined (SDM 2D, table A-6). There is no interrupt table for the #UD.
.code64
        lidt    empty(%rip)
        .fill   64, 1, 0xff
empty:  .word   0
        .quad   0
