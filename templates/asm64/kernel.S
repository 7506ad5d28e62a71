// {{name}}: a 64-bit kernel. The processor starts in long mode: flat segments, and page tables that map every address to
// itself. There is no interrupt table yet; it is yours to make.

#define PORT_CONSOLE 0xe9               // a byte out is a character on the console

.code64
.globl _start
_start:
        lea     greeting(%rip), %rsi    // RSI walks along the text
        cld

next:   lodsb                           // AL = the byte at RSI; RSI = RSI + 1
        test    %al, %al                // the text ends with a zero byte
        jz      done
        out     %al, $PORT_CONSOLE      // leaves the guest: one VM exit, one letter
        jmp     next

done:   cli                             // no interrupt can wake the CPU:
        hlt                             // that ends the guest

greeting:
        .asciz  "Hello from {{name}}!\n"
