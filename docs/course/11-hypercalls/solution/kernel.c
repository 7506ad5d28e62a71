// Lesson 11, one way to do it.

#include "hypercall.h"

// Where the check looks.
#define VERSION ((volatile uint64_t *)0x600)
#define REFUSED ((volatile int32_t *)0x608)

static const char text[] = "A hypercall asks the monitor for a thing,\n"
                           "and not a device for a byte at a time:\n"
                           "one exit for all of it.\n";

static void say(const char *bytes, uint32_t length)
{
    struct hypercall call = {.number = HYPERCALL_WRITE, .args = {(uintptr_t)bytes, length}};
    hypercall(&call);
}

static void ask(void)
{
    struct hypercall call = {.number = HYPERCALL_VERSION};
    hypercall(&call);
    *VERSION = call.result;
}

static void ask_too_much(void)
{
    struct hypercall call = {.number = HYPERCALL_WRITE, .args = {1ul << 40, 5}};
    *REFUSED = hypercall(&call);
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
    hypercall_exit(7);
}
