// Throws the die at port 0xD1 and ends with what it shows.
.code16
        in      $0xd1, %al
        mov     $'0', %ah
        add     %al, %ah
        xchg    %al, %ah
        out     %al, $0xe9              // the debug console
        mov     $'\n', %al
        out     %al, $0xe9
        hlt
