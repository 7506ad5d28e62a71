// {{name}}: a multiboot kernel in C. Every loader of that protocol starts it: Terrarium, GRUB, QEMU's -kernel. Its first
// instruction is that of _start, in {{bits}}-bit protected mode with flat segments; EBX points to the loader's information.

#include <stdint.h>

#define PORT_CONSOLE 0xe9 // a byte out is a character on the console

#define HEADER_MAGIC 0x1badb002
#define HEADER_FLAGS 3 // modules on pages; the memory's map
#define LOADER_MAGIC 0x2badb002

// The loader searches for this in the first 8 KiB of the file. The three words add up to 0.
__attribute__((section(".multiboot"), used, aligned(4))) static const uint32_t header[] = {
    HEADER_MAGIC,
    HEADER_FLAGS,
    -(uint32_t)(HEADER_MAGIC + HEADER_FLAGS),
};

struct information // its first fields: the specification has all of them, in 3.3
{
    uint32_t flags;
    uint32_t kib_below_1m, kib_above_1m;
    uint32_t boot_device;
    uint32_t command_line;
};

static uint8_t stack[4096] __attribute__((aligned(16), used));

// There is no stack yet: it is set up first, then C runs.
__attribute__((naked)) void _start(void)
{
    __asm__("mov $stack + 4096, %esp\n"
            "push %ebx\n"
            "push %eax\n"
            "call kernel");
}

static inline void out(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void print(const char *text)
{
    while (*text != '\0')
        out(PORT_CONSOLE, *text++);
}

// The same on a VGA's screen, where there is one (--screen): characters with their colours, from B8000 on.
static void print_on_screen(const char *text)
{
    volatile uint16_t *cell = (volatile uint16_t *)0xb8000;
    while (*text != '\0')
        *cell++ = 0x1f00 | (uint8_t)*text++;
}

__attribute__((used)) static void kernel(uint32_t magic, const struct information *told)
{
    if (magic == LOADER_MAGIC)
        print("Hello from {{name}}!\n");
    else
        print("not started by a multiboot loader\n");
    print_on_screen(magic == LOADER_MAGIC ? (const char *)told->command_line : "no loader");
    for (;;)
        __asm__ volatile("cli; hlt"); // no interrupt can wake the CPU: that ends the guest
}
