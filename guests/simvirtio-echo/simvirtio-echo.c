// Two devices at once: what goes to the echo comes back through RX and then goes to the console. More bytes than a queue
// holds, so that both queues wrap around and get full on the way.

#include "io.h"
#include "simvirtio.h"

// More than one queue holds, more than both hold with what the echo keeps.
#define ROUNDS 13000

static const char text[] = "back from the monitor\n";

// What byte number `i` of the long run is.
static q_elem_t pattern(unsigned i)
{
    return (i * 7 + (i >> 8)) & 0xff;
}

void _start(void)
{
    simqueue_t out, unused, to, from;
    unsigned sent = 0, received = 0;

    if (device_setup(DEVICE(CONSOLE_DEVICE), &out, &unused) != 0) halt(1);
    if (device_setup(DEVICE(ECHO_DEVICE), &to, &from) != 0) halt(1);

    // The device table knows both, in the order in which they were set up.
    if (DEVICE_TABLE->count != 2) halt(2);
    if (DEVICE_TABLE->device_addresses[0] != (uint64_t)DEVICE(CONSOLE_DEVICE)) halt(3);
    if (DEVICE_TABLE->device_addresses[1] != (uint64_t)DEVICE(ECHO_DEVICE)) halt(3);

    // Push until the queue is full, then take one out: never wait for a device that waits for this driver.
    while (received < ROUNDS) {
        q_elem_t byte;

        if (sent < ROUNDS && circ_bbuf_push(&to, pattern(sent)) == 0)
            sent++;
        else if (circ_bbuf_pop(&from, &byte) == 0 && byte != pattern(received++))
            halt(4);
    }

    for (unsigned i = 0; i < sizeof(text) - 1; i++) {
        queue_send(&to, text[i]);
        queue_send(&out, queue_receive(&from));
    }

    // After a reset the device is out of the table, and the driver may start over.
    device_reset(DEVICE(ECHO_DEVICE));
    if (DEVICE_TABLE->count != 1) halt(5);
    if (device_setup(DEVICE(ECHO_DEVICE), &to, &from) != 0) halt(6);
    if (DEVICE_TABLE->count != 2) halt(7);

    halt(42);
}
