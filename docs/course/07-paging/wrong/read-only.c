// refused: mem64[0x301000]=0x4000e3
#include "io.h"
void _start(void)
{
    uint64_t cr3;
    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    *(volatile uint64_t *)0x301000 = 0x400081;
    *(volatile uint64_t *)0x300000 = 0x301003;
    ((volatile uint64_t *)(cr3 & ~0xffful))[1] = 0x300003;
    *(volatile uint64_t *)0x8000000000 = 0xc0ffee;
    halt(0xc0ffee);
}
