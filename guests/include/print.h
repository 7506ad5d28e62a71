// Text on the debug console, for guests in C.
#ifndef PRINT_H
#define PRINT_H

#include "io.h"

static inline void print(const char *text)
{
    while (*text != '\0') outb(PORT_DEBUG_CONSOLE, *text++);
}

static inline void print_hex(unsigned long value)
{
    int shift = 0;
    while (shift < (int)sizeof(value) * 8 - 4 && value >> shift >> 4 != 0) shift += 4;
    print("0x");
    for (; shift >= 0; shift -= 4) outb(PORT_DEBUG_CONSOLE, "0123456789abcdef"[value >> shift & 15]);
}

// A line with a number: "the answer is 0x2a".
static inline void print_value(const char *text, unsigned long value)
{
    print(text);
    print_hex(value);
    print("\n");
}

#endif
