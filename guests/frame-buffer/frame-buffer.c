// A picture in a linear frame buffer: a multiboot 2 kernel that asks its loader for graphics of 640 by 480 in 32 bits, and gets the
// address of the first pixel. Every pixel is four bytes of memory: blue, green, red, and an unused one.
//
// Source: "Multiboot2 Specification version 2.0", 3.1.10 (the request) and 3.6.12 (the answer).
#include "io.h"

#define LOADER_MAGIC 0x36d76289

// The header: magic number, architecture (0: i386), length, and a checksum that makes their sum 0; then tags, each at a multiple of 8.
__asm__(".section .text.start, \"ax\"\n"
        ".balign 8\n"
        "header: .long 0xe85250d6, 0, header_end - header, -(0xe85250d6 + header_end - header)\n"
        "    .word 5, 0\n" // a frame buffer, required
        "    .long 20, 640, 480, 32\n"
        "    .balign 8\n"
        "    .word 0, 0\n" // the end
        "    .long 8\n"
        "header_end:\n"
        ".globl _start\n"
        "_start:\n" // EAX: the loader's magic number, EBX: its information; there is no stack yet
        "    mov $stack_end, %esp\n"
        "    push %ebx\n"
        "    push %eax\n"
        "    call kernel\n"
        ".section .bss\n"
        ".balign 16\n"
        ".skip 4096\n"
        "stack_end:\n"
        ".text");

struct tag
{
    uint32_t type, size;
};

struct frame_buffer
{
    struct tag tag;
    uint64_t address;
    uint32_t pitch, width, height; // bytes of a line; pixels
    uint8_t bits, type;
} __attribute__((packed));

enum { TAG_END = 0, TAG_FRAME_BUFFER = 8, TYPE_RGB = 1 };

static struct frame_buffer *find(uint32_t information)
{
    for (uint32_t at = information + 8;;) {
        struct tag *tag = (struct tag *)at;
        if (tag->type == TAG_FRAME_BUFFER) return (struct frame_buffer *)at;
        if (tag->type == TAG_END) return 0;
        at += (tag->size + 7) & ~7u;
    }
}

static void print(const char *text)
{
    while (*text) outb(PORT_DEBUG_CONSOLE, *text++);
}

// A run of pixels of one colour: one instruction.
static void fill(const struct frame_buffer *screen, unsigned x, unsigned y, unsigned count, uint32_t colour)
{
    uint32_t *to = (uint32_t *)((uint32_t)screen->address + y * screen->pitch + x * 4);
    __asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(colour) : "memory");
}

// Evening: a sky that goes from blue to orange, a sun, and its light on the sea.
static void draw(const struct frame_buffer *screen)
{
    const unsigned horizon = screen->height * 2 / 3, middle = screen->width / 2, radius = 80;
    for (unsigned y = 0; y < screen->height; y++) {
        unsigned part = y < horizon ? y * 255 / horizon : (screen->height - y) * 120 / (screen->height - horizon);
        fill(screen, 0, y, screen->width, y < horizon ? part << 16 | (40 + part / 3) << 8 | (160 - part / 2) : part / 2 << 16 | part / 3 << 8 | 70);
    }
    for (unsigned y = 0, half = 0; y < radius; y++) {
        // The circle by whole numbers: half² + (radius - y)² = radius².
        while ((half + 1) * (half + 1) + (radius - y) * (radius - y) <= radius * radius) half++;
        fill(screen, middle - half, horizon - radius + y, 2 * half + 1, 0xffe080);
        if (y % 8 < 3) fill(screen, middle - half / 2, horizon + radius - y, half + 1, 0xc08040);
    }
}

__attribute__((used)) static void kernel(uint32_t magic, uint32_t information)
{
    struct frame_buffer *screen = magic == LOADER_MAGIC ? find(information) : 0;
    if (!screen || screen->type != TYPE_RGB || screen->bits != 32) {
        print("There is no frame buffer.\n");
    } else {
        draw(screen);
        print("A picture is in the frame buffer.\n");
    }
    __asm__ volatile("cli; hlt");
}
