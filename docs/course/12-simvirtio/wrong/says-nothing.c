// refused: console="through a queue, there and back\n"

#include "io.h"
#include "simvirtio.h"

#define ROUNDS 100
#define BLOCK 64

static const char text[] = "through a queue, there and back\n";

static unsigned after(const simqueue_t *q, unsigned index)
{
    return index + 1 < q->maxlen ? index + 1 : 0;
}

// Puts `count` bytes into a queue that has room for them.
static void send(simqueue_t *q, const q_elem_t *bytes, unsigned count)
{
    unsigned head = q->q_ctrl->head;

    for (unsigned i = 0; i < count; i++) {
        q->buffer[head] = bytes[i];
        head = after(q, head);
    }
    q->q_ctrl->head = head;
}

// Takes `count` bytes out of a queue, and waits until they are there.
static void receive(simqueue_t *q, q_elem_t *bytes, unsigned count)
{
    unsigned tail = q->q_ctrl->tail;

    for (unsigned i = 0; i < count; i++) {
        while (q->q_ctrl->head == tail) pause();
        bytes[i] = q->buffer[tail];
        tail = after(q, tail);
    }
    q->q_ctrl->tail = tail;
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
    halt(right);
}
