// kvm-hello-world in C: a greeting byte by byte, 42 in memory and in a register, HLT.
//
// This one source is compiled for 32 bits (khw-protected, khw-paged, khw-pae) and for 64 (khw-long). C does not see the
// difference between flat segments and paging that maps every address to itself.

#include "io.h"

#define ANSWER ((volatile unsigned long *)0x400)

void _start(void)
{
    for (const char *letter = "Hello, world!\n"; *letter != '\0'; letter++)
        outb(PORT_DEBUG_CONSOLE, *letter);

    *ANSWER = 42;
    halt(42);
}
