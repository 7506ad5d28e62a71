// Lesson 12. Queues: 100 blocks of 64 bytes go to an echo and come back; then a text goes to the echo and on to the console.
// It works. But each byte is announced to the device separately, and each is an exit.
//
//   1. Let send() put all bytes into the buffer first, and write head once.
//   2. Let receive() take all bytes out first, and write tail once. A byte is there as soon as head is not where you read.
//
// Head and tail go from 0 to maxlen - 1, and then to 0 again.

#include "io.h"
#include "simvirtio.h"

#define ROUNDS 100
#define BLOCK 64

static const char text[] = "through a queue, there and back\n";

// Puts `count` bytes into a queue that has room for them.
static void send(simqueue_t *q, const q_elem_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) queue_send(q, bytes[i]); // your code
}

// Takes `count` bytes out of a queue, and waits until they are there.
static void receive(simqueue_t *q, q_elem_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) bytes[i] = queue_receive(q); // your code
}

void _start(void)
{
    simqueue_t console, unused, to_echo, from_echo;
    q_elem_t there[BLOCK], back[BLOCK];
    unsigned right = 0;

    if (device_setup(DEVICE(CONSOLE_DEVICE), &console, &unused) != 0) halt(1);
    if (device_setup(DEVICE(ECHO_DEVICE), &to_echo, &from_echo) != 0) halt(1);

    // More bytes than a queue is long: head and tail come round.
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < BLOCK; i++) there[i] = (q_elem_t)(round * 7 + i);
        send(&to_echo, there, BLOCK);
        receive(&from_echo, back, BLOCK);
        for (unsigned i = 0; i < BLOCK; i++) right += back[i] == there[i];
    }

    send(&to_echo, (const q_elem_t *)text, sizeof(text) - 1);
    receive(&from_echo, back, sizeof(text) - 1);
    send(&console, back, sizeof(text) - 1);
    queue_flush(&console);
    halt(right);
}
