// {{name}}: a 16-bit kernel. The processor starts in real mode, as every PC does, at the first instruction below.
//
// There is no BIOS here, and so no INT 10h that writes. There are ports.

#define PORT_CONSOLE 0xe9               // a byte out is a character on the console

.code16
.globl _start
_start:
        mov     $greeting, %si          // SI walks along the text
        cld

next:   lodsb                           // AL = the byte at DS:SI; SI = SI + 1
        test    %al, %al                // the text ends with a zero byte
        jz      done
        out     %al, $PORT_CONSOLE      // leaves the guest: one VM exit, one letter
        jmp     next

done:   cli                             // no interrupt can wake the CPU:
        hlt                             // that ends the guest

greeting:
        .asciz  "Hello from {{name}}!\n"
