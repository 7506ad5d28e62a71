// A multiboot kernel that draws: it sets the VGA to 320 by 200 pixels of 256 colours by its registers, since in protected mode there is
// no BIOS to ask, and computes the Mandelbrot set in whole numbers.
//
// Sources: "Multiboot Specification version 0.6.96"; for the registers of mode 13h, IBM's VGA technical reference.
#include "io.h"
#include "vga.h"

__asm__(".section .text.start, \"ax\"\n"
        ".balign 4\n"
        ".long 0x1badb002, 0, -0x1badb002\n" // magic number, flags, and a checksum that makes their sum 0
        ".globl _start\n"
        "_start:\n" // there is no stack yet
        "    mov $stack_end, %esp\n"
        "    call kernel\n"
        ".section .bss\n"
        ".balign 16\n"
        ".skip 4096\n"
        "stack_end:\n"
        ".text");

enum { COLUMNS = 320, ROWS = 200, BLOCK = 2, COLOURS = 20 };

// ---------------------------------------------------------------------------------------------- mode 13h

static const uint8_t sequencer[] = {0x03, 0x01, 0x0f, 0x00, 0x0e};
static const uint8_t crtc[] = {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0x00, 0x00, 0x00,
                               0x00, 0x00, 0x00, 0x9c, 0x0e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff};
static const uint8_t controller[] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x05, 0x0f, 0xff};
static const uint8_t attribute[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x41, 0x00, 0x0f, 0x00, 0x00};

static void set(uint16_t port, uint8_t index, uint8_t value)
{
    outb(port, index);
    outb(port + 1, value);
}

static void set_mode(void)
{
    set(VGA_SEQUENCER, 0, 1); // hold the sequencer while the clock changes
    outb(VGA_MISC, 0x63);
    for (unsigned i = 0; i < sizeof(sequencer); i++) set(VGA_SEQUENCER, i, sequencer[i]);
    set(VGA_CRTC, CRTC_RETRACE_END, 0); // registers 0 to 7 can be written while its bit 7 is clear
    for (unsigned i = 0; i < sizeof(crtc); i++) set(VGA_CRTC, i, crtc[i]);
    for (unsigned i = 0; i < sizeof(controller); i++) set(VGA_CONTROLLER, i, controller[i]);
    inb(VGA_STATUS); // the index is next
    for (unsigned i = 0; i < sizeof(attribute); i++) {
        outb(VGA_ATTRIBUTE, i);
        outb(VGA_ATTRIBUTE, attribute[i]);
    }
    outb(VGA_ATTRIBUTE, 0x20); // the palette belongs to the picture again
}

// From dark outside to a bright edge; the last colour, for the set itself, is black.
static void set_colours(void)
{
    outb(VGA_DAC_INDEX, 0);
    for (unsigned i = 0; i < COLOURS; i++) {
        unsigned light = i < COLOURS - 1 ? 63 * i / (COLOURS - 2) : 0;
        outb(VGA_DAC, light * light / 63);
        outb(VGA_DAC, light);
        outb(VGA_DAC, i < COLOURS - 1 ? 20 + 43 * light / 63 : 0);
    }
}

// ---------------------------------------------------------------------------------------------- the picture

enum { ONE = 1 << 12 }; // numbers have 12 fraction bits

// The number of steps until z = z² + c leaves the circle of radius 2.
static unsigned steps(int x, int y)
{
    int real = 0, imaginary = 0;
    for (unsigned n = 0; n < COLOURS - 1; n++) {
        int real_squared = real * real / ONE, imaginary_squared = imaginary * imaginary / ONE;
        if (real_squared + imaginary_squared > 4 * ONE) return n;
        imaginary = 2 * real * imaginary / ONE + y;
        real = real_squared - imaginary_squared + x;
    }
    return COLOURS - 1;
}

// A block of pixels above the middle and its mirror image below: the set is the same on both sides of the axis.
static void draw(void)
{
    volatile uint8_t *screen = (volatile uint8_t *)VGA_GRAPHICS_MEMORY;
    for (unsigned row = 0; row < ROWS / 2; row += BLOCK)
        for (unsigned column = 0; column < COLUMNS; column += BLOCK) {
            int x = -2 * ONE - ONE / 4 + (int)column * ONE / 100;
            int y = -(ONE + ONE / 5) + (int)row * ONE * 12 / 1000;
            uint8_t colour = steps(x, y);
            for (unsigned i = 0; i < BLOCK * BLOCK; i++) {
                unsigned line = row + i / BLOCK, at = column + i % BLOCK;
                screen[line * COLUMNS + at] = colour;
                screen[(ROWS - 1 - line) * COLUMNS + at] = colour;
            }
        }
}

__attribute__((used)) static void kernel(void)
{
    set_mode();
    set_colours();
    draw();
    for (const char *text = "The Mandelbrot set is on the screen.\n"; *text; text++) outb(PORT_DEBUG_CONSOLE, *text);
    __asm__ volatile("cli; hlt");
}
