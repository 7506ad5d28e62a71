// A guest that says hello: nine instructions, and a text.
//
// The processor starts here in 64-bit long mode, alone: no operating system, no BIOS, no library.
// It can compute, and access the ports that the monitor answers.

#include "ports.h"

.code64
.globl _start
_start:
        lea     greeting(%rip), %rsi            // RSI points to the next letter,
        mov     $PORT_DEBUG_CONSOLE, %edx       // DX is the number of the port

next:   lodsb                                   // AL = the byte at RSI; RSI = RSI + 1
        test    %al, %al
        jz      done                            // the text ends with a zero byte
        out     %al, %dx                        // one letter: a VM exit
        jmp     next

done:   hlt                                     // nothing more to do
        jmp     done                            // an interrupt would wake us: sleep again

greeting:
        .ascii  "Hello from inside the terrarium!\n"
        .ascii  "\n"
        .ascii  "I am nine instructions of 64-bit code, alone on a processor of my own.\n"
        .ascii  "Each letter of this text left my machine through port 0xE9, and Terrarium\n"
        .ascii  "saw every one of them. You can see them too:\n"
        .ascii  "\n"
        .ascii  "    start guests/hello again with --trace\n"
        .ascii  "\n"
        .asciz  "Now I halt. My source is guests/hello/hello.S: change it, and run it.\n"
