// refused: mem16[0x506]=4
#include "io.h"
void _start(void)
{
    const char *text = "Hi from ring 3\n";
    *(volatile uint16_t *)0x500 = 3;
    *(volatile uint16_t *)0x502 = 0x23;
    *(volatile uint16_t *)0x504 = 0x1b;
    *(volatile uint16_t *)0x506 = 16;
    for (; *text != '\0'; text++) outb(PORT_DEBUG_CONSOLE, *text);
    halt(42);
}
