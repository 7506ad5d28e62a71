// Two ways to access a device, and the exits of each: ports, and memory that is not RAM.
#include "io.h"

#define PORT 0x80                               // no device answers here, as on the course's slide
#define HOLE ((volatile uint32_t *)0x3000000)   // 48 MiB: no memory at all
#define ROM ((volatile uint32_t *)0x2000000)    // 32 MiB: a page that is mapped read-only

// The content of the page. The loader puts it there; the guest itself could not.
__attribute__((section(".rom"))) const uint32_t page[2] = {0x600df00d, 0x12345678};

static void print(const char *text)
{
    while (*text != '\0') outb(PORT_DEBUG_CONSOLE, *text++);
}

static void show(const char *what, uint32_t value)
{
    print(what);
    for (int shift = 28; shift >= 0; shift -= 4) outb(PORT_DEBUG_CONSOLE, "0123456789abcdef"[value >> shift & 15]);
    print("\n");
}

void _start(void)
{
    outb(PORT, 0x42); // an exit: KVM_EXIT_IO, out
    show("port, read:            ", inb(PORT)); // an exit: KVM_EXIT_IO, in

    *HOLE = 0x42; // an exit: KVM_EXIT_MMIO, write
    show("hole, read:            ", *HOLE); // an exit: KVM_EXIT_MMIO, read

    show("read-only, read:       ", ROM[0]); // no exit: this is memory
    ROM[0] = 0x42; // an exit: KVM_EXIT_MMIO, write. No device answers, so nothing changes
    show("read-only, read again: ", ROM[0]);

    uint32_t sum = 0;
    for (int i = 0; i < 1000; i++) sum += ROM[1]; // still no exit
    show("1,000 reads, summed:   ", sum);
    halt(sum);
}
