// {{name}}: a small {{bits}}-bit kernel in C with its own page tables, interrupts, timer, keyboard and printf. The
// processor's first instruction is that of _start; the stack is set up.
#include "machine.h"

#define QUIET 100 // ticks without a key after which it ends: a second

void _start(void)
{
    paging_start();
    interrupts_start();
    keyboard_start();
    printf("Hello from {{name}}!\n");

    // Maps a page at a new address, by our own tables.
    volatile uint64_t *number = (volatile uint64_t *)0xffff800000000000;
    map((uint64_t)number, (uint64_t)new_page(), true);
    *number = 42;

#ifdef FAULT // make CFLAGS=-DFAULT shows what a panic looks like
    *(volatile uint64_t *)0xdead0000000 = 1;
#endif

    // Shows typed text: make CFLAGS= run, or terrarium run . --type 'hello', or terrarium run . --screen.
    for (uint64_t until = ticks + QUIET; ticks < until;)
    {
        char character;
        if (keyboard_take(&character))
        {
            printf("%c", character);
            until = ticks + QUIET;
        }
        __asm__ volatile("hlt"); // until the timer or the keyboard interrupts
    }
    for (;;)
        __asm__ volatile("cli; hlt" : : "a"(*number)); // no interrupt can wake the CPU: that ends the guest, with 42 in RAX
}
