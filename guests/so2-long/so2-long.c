// The assignment's second guest: 64-bit C that greets, leaves 42 at address 0x400 and in RAX, and halts.

#include "io.h"

#define ANSWER ((volatile uint64_t *)0x400)

// A real call, so that the stack that the assignment requires is used.
static __attribute__((noinline)) void print(const char *text)
{
    while (*text != '\0') outb(PORT_DEBUG_CONSOLE, *text++);
}

void _start(void)
{
    print("Hello, world!\n");
    *ANSWER = 42;
    halt(42);
}
