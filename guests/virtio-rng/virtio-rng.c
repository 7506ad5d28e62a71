// A virtio driver that fits on a page: it finds the entropy source on the PCI bus, negotiates with it, and requests random bytes.
#include "print.h"
#include "virtio.h"

#define ENTROPY 4

static uint8_t bytes[16];

// A function of its own, so that no random byte stays in a register at the end: the tests compare two runs.
static __attribute__((noinline)) unsigned different(void)
{
    unsigned count = 0;
    for (unsigned n = 1; n < sizeof bytes; n++) count += bytes[n] != bytes[0];
    return count;
}

void _start(void)
{
    int slot = virtio_find(VIRTIO_ID(ENTROPY));
    if (slot < 0)
    {
        print("there is no virtio-rng: --virtio rng\n");
        halt(1);
    }
    if (!virtio_start((unsigned)slot)) halt(2);
    virtio_describe(0, bytes, sizeof bytes, DESC_WRITE);
    print_value("bytes: ", virtio_request());
    print(different() > 0 ? "they are random\n" : "they are all the same\n");
    halt(0);
}
