// refused: mem64[0x400040]=0xc0ffee
#include "io.h"
void _start(void)
{
    *(volatile uint64_t *)0x301000 = 0x4000e3;
    *(volatile uint64_t *)0x400000 = 0xc0ffee;
    halt(0xc0ffee);
}
