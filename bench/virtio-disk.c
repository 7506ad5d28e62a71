// Reads a virtio disk as fast as it goes: COMMANDS requests of 256 sectors, one after the other. A multiboot kernel, so that QEMU runs the
// very same.
#include "virtio.h"

__asm__(".section .text.start, \"ax\"\n"
        ".balign 4\n"
        ".long 0x1badb002, 0, -0x1badb002\n"
        ".globl _start\n"
        "_start:\n"
        "    mov $stack_end, %esp\n"
        "    call kernel\n"
        ".section .bss\n"
        ".balign 16\n"
        ".skip 4096\n"
        "stack_end:\n"
        ".text");

#define BLOCK 2
#define SECTORS 256
#define DATA ((void *)0x200000)
#define EXIT_PORT 0x501 // QEMU's isa-debug-exit
#define GOOD 0x10

static struct { uint32_t type, reserved; uint64_t sector; } request;
static volatile uint8_t status;

__attribute__((used)) static void kernel(void)
{
    int slot = virtio_find(VIRTIO_ID(BLOCK));
    if (slot >= 0 && virtio_start((unsigned)slot))
    {
        uint8_t bad = 0;
        virtio_describe(0, &request, sizeof request, DESC_NEXT);
        virtio_describe(1, DATA, SECTORS * 512, DESC_NEXT | DESC_WRITE);
        virtio_describe(2, &status, 1, DESC_WRITE);
        for (unsigned n = 0; n < COMMANDS; n++)
        {
            status = 1;
            virtio_request();
            bad |= status;
        }
        if (!bad) outl(EXIT_PORT, GOOD);
    }
    outl(EXIT_PORT, GOOD + 1);
    halt(0);
}
