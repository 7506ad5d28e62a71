// refused: outcome=halted
#include "io.h"
void _start(void)
{
    *(volatile uint64_t *)0x8000000000 = 0xc0ffee;
    halt(0xc0ffee);
}
