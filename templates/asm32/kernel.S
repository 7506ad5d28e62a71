// {{name}}: a 32-bit kernel. The processor starts in protected mode with flat segments: every address is a number from
// 0 to 4 GiB. There is no paging and no interrupt table yet; both are yours to make.

#define PORT_CONSOLE 0xe9               // a byte out is a character on the console

.code32
.globl _start
_start:
        mov     $greeting, %esi         // ESI walks along the text
        cld

next:   lodsb                           // AL = the byte at ESI; ESI = ESI + 1
        test    %al, %al                // the text ends with a zero byte
        jz      done
        out     %al, $PORT_CONSOLE      // leaves the guest: one VM exit, one letter
        jmp     next

done:   cli                             // no interrupt can wake the CPU:
        hlt                             // that ends the guest

greeting:
        .asciz  "Hello from {{name}}!\n"
