// refused: mem64[0x600]=0
#include "hypercall.h"
static const char text[] = "A hypercall asks the monitor for a thing,\n"
                           "and not a device for a byte at a time:\n"
                           "one exit for all of it.\n";
void _start(void)
{
    const char *bytes = text;
    uint64_t count = sizeof(text) - 1;
    __asm__ volatile("rep outsb" : "+S"(bytes), "+c"(count) : "d"((uint16_t)PORT_DEBUG_CONSOLE) : "memory");
    *(volatile uint64_t *)0x600 = 0x7f00000001;
    *(volatile int32_t *)0x608 = -14;
    hypercall_exit(7);
}
