// A guest without a single driver: it asks the monitor for everything.
//
// The same source compiles for 32 and 64 bits. What it prints is the same each time, although it asks for the time and for
// random numbers; what changes from run to run goes into the log.
#include "hypercall.h"

static uint32_t length_of(const char *text)
{
    uint32_t length = 0;
    while (text[length] != '\0') length++;
    return length;
}

static void print(const char *text)
{
    hypercall_write(text, length_of(text));
}

static void check(const char *what, int good)
{
    print(good ? "yes  " : "NO   ");
    print(what);
    print("\n");
}

static void log_number(const char *what, uint64_t number)
{
    char text[80];
    uint32_t at = 0;
    while (what[at] != '\0') text[at] = what[at], at++;
    for (int shift = 60; shift >= 0; shift -= 4) text[at++] = "0123456789abcdef"[number >> shift & 15];
    hypercall_log(text, at);
}

// Waits for a line as long as this many nanoseconds: the monitor never waits, so the guest polls.
#define PATIENCE 200000000

static int64_t read_line(char *buffer, uint32_t size)
{
    int64_t until = hypercall_time(HYPERCALL_CLOCK_MONOTONIC) + PATIENCE;
    int64_t got;
    do got = hypercall_read_line(buffer, size);
    while (got == HYPERCALL_EAGAIN && hypercall_time(HYPERCALL_CLOCK_MONOTONIC) < until);
    return got;
}

void _start(void)
{
    uint64_t random[2] = {0, 0};
    char name[40];

    print("Is there a monitor that answers?\n");
    check("the port does not float", inl(PORT_HYPERCALL) != 0xffffffff);
    check("version 1", (uint32_t)hypercall2(HYPERCALL_VERSION, 0, 0) == 1);

    print("What it does for us:\n");
    int64_t before = hypercall_time(HYPERCALL_CLOCK_MONOTONIC);
    check("time goes on", hypercall_time(HYPERCALL_CLOCK_MONOTONIC) >= before);
    check("it is later than 2024", hypercall_time(HYPERCALL_CLOCK_UNIX) > 1704067200ll * 1000000000ll);
    check("random bytes", hypercall_random(random, sizeof(random)) == sizeof(random) && random[0] != random[1]);
    log_number("random: ", random[0]);

    print("What it refuses:\n");
    check("a call that does not exist", hypercall2(12345, 0, 0) == HYPERCALL_ENOSYS);
    check("a clock that does not exist", hypercall_time(99) == HYPERCALL_EINVAL);
    check("a buffer where there is no memory", hypercall2(HYPERCALL_WRITE, 1ull << 40, 5) == HYPERCALL_EFAULT);
    check("a buffer over the end of the world", hypercall2(HYPERCALL_RANDOM, -1, 5) == HYPERCALL_EFAULT);
    outl(PORT_HYPERCALL, 0xfffffff0);
    check("a request block where there is no memory", inl(PORT_HYPERCALL) == (uint32_t)HYPERCALL_EFAULT);

    print("And you?\n");
    int64_t length = read_line(name, sizeof(name));
    if (length > 0) {
        print("Hello, ");
        hypercall_write(name, (uint32_t)length);
    } else {
        print("Nobody typed anything.\n");
    }
    hypercall_exit(0);
}
