// How a part of the programs ends: a line on the serial port, its name and a checksum.
#include <stdint.h>

#ifndef SCALE
#define SCALE 1
#endif

#ifdef HOSTED
#include <unistd.h>
static void put(char c) { if (write(1, &c, 1) != 1) _exit(1); }
#else
static inline void out8(uint16_t port, uint8_t value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static void put(char c) { out8(0x3f8, (uint8_t)c); }
#endif

static void report(const char *name, uint32_t sum)
{
    while (*name != 0) put(*name++);
    put(' ');
    for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[sum >> shift & 15]);
    put('\n');
}

static uint32_t seed;

static uint32_t pseudo_random(void)
{
    // Knuth's MMIX constants are 64 bits wide; these are of Numerical Recipes, for 32.
    return seed = seed * 1664525 + 1013904223;
}
