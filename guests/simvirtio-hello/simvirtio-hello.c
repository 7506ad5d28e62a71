// The SO2 assignment's guest for SIMVIRTIO: the handshake, "Ana are mere", 42 at address 0x400 and in RAX, HLT.

#include "io.h"
#include "simvirtio.h"

#define ANSWER ((volatile uint64_t *)0x400)

void _start(void)
{
    volatile device_t *dev = DEVICE(CONSOLE_DEVICE);
    simqueue_t tx, rx;

    if (device_setup(dev, &tx, &rx) != 0) halt(1);

    for (const char *letter = "Ana are mere\n"; *letter != '\0'; letter++) queue_send(&tx, *letter);

    *ANSWER = 42;
    halt(42);
}
