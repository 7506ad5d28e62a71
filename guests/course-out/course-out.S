// Three instructions from a course on KVM, and the fourth that its slide forgot: the byte 42 (hexadecimal) goes to port
// 80, where a PC shows how far its firmware has come.

.code16
        mov     $0x80, %dx
        mov     $0x42, %al
        out     %al, %dx
        hlt                             // without it the processor continues with the bytes that follow
