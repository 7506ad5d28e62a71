// kvm-hello-world in 16-bit real mode: a greeting byte by byte, 42 in memory and in a register, HLT.

#include "ports.h"

.code16
.globl _start
_start:
        mov     $greeting, %si
next:
        lodsb                           // AL = the byte at DS:SI; SI = SI + 1
        test    %al, %al
        jz      done
        out     %al, $PORT_DEBUG_CONSOLE
        jmp     next

done:
        mov     $42, %eax               // the whole of EAX: real mode has 32-bit registers too
        mov     %eax, 0x400             // an address in DS, which starts at 0
        hlt

greeting:
        .asciz  "Hello, world!\n"
