// Lesson 11. No drivers: asking the monitor. hypercall.h, which Terrarium finds by itself, has the calls and their block.
//
//   1. Let say() write the whole text by one call, HYPERCALL_WRITE: the buffer's address and its length.
//   2. Let ask() store the result of HYPERCALL_VERSION at VERSION.
//   3. Let ask_too_much() try to write 5 bytes from address 1 << 40, where no memory is, and store the status at REFUSED.
//   4. End by HYPERCALL_EXIT, with code 7.

#include "hypercall.h"

// Where the check looks.
#define VERSION ((volatile uint64_t *)0x600)
#define REFUSED ((volatile int32_t *)0x608)

static const char text[] = "A hypercall asks the monitor for a thing,\n"
                           "and not a device for a byte at a time:\n"
                           "one exit for all of it.\n";

static void say(const char *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) outb(PORT_DEBUG_CONSOLE, bytes[i]); // your code: an exit a byte
}

static void ask(void)
{
    *VERSION = 0; // your code
}

static void ask_too_much(void)
{
    *REFUSED = 0; // your code
}

// Says on stderr how long it took.
static void log_duration(uint64_t nanoseconds)
{
    char line[] = "saying it took ...... us";
    uint64_t left = nanoseconds / 1000;
    for (int i = 20; i >= 15; i--, left /= 10) line[i] = '0' + (char)(left % 10);
    hypercall_log(line, sizeof(line) - 1);
}

void _start(void)
{
    int64_t before = hypercall_time(HYPERCALL_CLOCK_MONOTONIC);
    say(text, sizeof(text) - 1);
    log_duration((uint64_t)(hypercall_time(HYPERCALL_CLOCK_MONOTONIC) - before));
    ask();
    ask_too_much();
    halt(0); // your code
}
