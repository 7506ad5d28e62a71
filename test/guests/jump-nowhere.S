// Fetches from a guest physical address where neither memory nor a device is.
.code32
        mov     $0xe0000000, %eax
        jmp     *%eax
