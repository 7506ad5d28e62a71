// A driver for SIMVIRTIO, the protocol of the SO2 assignment. docs/simvirtio.md is the specification.
//
// The same driver works with exits and with polling, and need not know which. It only relies on x86 keeping stores in order, and
// loads in order, so that `volatile` is enough (SDM 3A 9.2.2).
#ifndef SIMVIRTIO_H
#define SIMVIRTIO_H

#include <stdint.h>

// The addresses of the device table, and of the configuration space of device n.
#define DEVICE_TABLE ((volatile device_table_t *)0xd0000000ul)
#define DEVICE(n) ((volatile device_t *)(0xd0010000ul + 0x10000ul * (n)))
// The devices of `--simvirtio`.
#define CONSOLE_DEVICE 0 // prints
#define ECHO_DEVICE 1    // sends back
#define SINK_DEVICE 2    // forgets

#define MAGIC_VALUE 0x74726976

#define DEVICE_RESET 0x0
#define DEVICE_CONFIG 0x2
#define DEVICE_READY 0x4

#define DRIVER_ACK 0x0
#define DRIVER 0x2
#define DRIVER_OK 0x4
#define DRIVER_RESET 0x8000

#define QUEUE_TX 0
#define QUEUE_RX 1
#define QUEUE_RUN 0x01

typedef uint8_t q_elem_t;

typedef struct queue_control {
    uint32_t head; // the place of the producer’s next byte
    uint32_t tail; // the place of the consumer’s next byte
} queue_control_t;

typedef struct device {
    uint32_t magic;          // 0x00  R
    uint16_t max_queue_len;  // 0x04  R    of the selected queue
    uint8_t device_status;   // 0x06  R
    uint8_t reserved;        // 0x07
    uint16_t driver_status;  // 0x08  R/W
    uint8_t queue_selector;  // 0x0a  R/W
    uint8_t q0_ctl;          // 0x0b  R/W  TX
    uint8_t q1_ctl;          // 0x0c  R/W  RX
    uint8_t queue_selected;  // 0x0d  R
    uint8_t reserved2[0x32]; // 0x0e
    queue_control_t tx;      // 0x40  head R/W, tail R
    uint8_t reserved3[0x38]; // 0x48
    queue_control_t rx;      // 0x80  head R, tail R/W
} device_t;

typedef struct device_table {
    uint16_t count;                // 0x00
    uint64_t device_addresses[10]; // 0x08
} device_table_t;

typedef struct simqueue {
    volatile queue_control_t *q_ctrl;
    unsigned maxlen;
    volatile q_elem_t *buffer;
} simqueue_t;

_Static_assert(__builtin_offsetof(device_t, driver_status) == 0x08, "driver status");
_Static_assert(__builtin_offsetof(device_t, queue_selected) == 0x0d, "queue selected");
_Static_assert(__builtin_offsetof(device_t, tx) == 0x40, "TX");
_Static_assert(__builtin_offsetof(device_t, rx) == 0x80, "RX");
_Static_assert(__builtin_offsetof(device_table_t, device_addresses) == 8, "table");

static inline void pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}

// Adds a byte; -1 where the queue is full.
static inline int circ_bbuf_push(simqueue_t *q, q_elem_t data)
{
    unsigned head = q->q_ctrl->head;
    unsigned next = head + 1 < q->maxlen ? head + 1 : 0;

    if (next == q->q_ctrl->tail) return -1;
    q->buffer[head] = data;
    q->q_ctrl->head = next;
    return 0;
}

// Removes a byte; -1 where the queue is empty.
static inline int circ_bbuf_pop(simqueue_t *q, q_elem_t *data)
{
    unsigned tail = q->q_ctrl->tail;

    if (tail == q->q_ctrl->head) return -1;
    *data = q->buffer[tail];
    q->q_ctrl->tail = tail + 1 < q->maxlen ? tail + 1 : 0;
    return 0;
}

// Adds as many of `len` bytes as there is room for, and announces them once, at the end: one exit for all of them.
static inline unsigned circ_bbuf_push_many(simqueue_t *q, const q_elem_t *data, unsigned len)
{
    unsigned head = q->q_ctrl->head, tail = q->q_ctrl->tail;
    unsigned free = (tail > head ? tail - head : q->maxlen + tail - head) - 1;
    unsigned count = len < free ? len : free;

    for (unsigned i = 0; i < count; i++) {
        q->buffer[head] = data[i];
        head = head + 1 < q->maxlen ? head + 1 : 0;
    }
    if (count > 0) q->q_ctrl->head = head;
    return count;
}

// Like the two above, but these wait until they can.
static inline void queue_send(simqueue_t *q, q_elem_t data)
{
    while (circ_bbuf_push(q, data) != 0) pause();
}

static inline q_elem_t queue_receive(simqueue_t *q)
{
    q_elem_t data;

    while (circ_bbuf_pop(q, &data) != 0) pause();
    return data;
}

// Waits until the device has taken everything.
static inline void queue_flush(simqueue_t *q)
{
    while (q->q_ctrl->tail != q->q_ctrl->head) pause();
}

static inline simqueue_t device_queue(volatile device_t *dev, uint8_t which)
{
    simqueue_t q;

    dev->queue_selector = which;
    while (dev->queue_selected != which) pause();
    q.maxlen = dev->max_queue_len;
    q.q_ctrl = which == QUEUE_TX ? &dev->tx : &dev->rx;
    q.buffer = (volatile q_elem_t *)dev + (which == QUEUE_TX ? 0x4000 : 0x8000);
    return q;
}

static inline void device_wait_reset(volatile device_t *dev)
{
    while (dev->device_status != DEVICE_RESET || dev->driver_status != DRIVER_RESET || dev->tx.head != 0 ||
           dev->tx.tail != 0)
        pause();
}

// Resets a device, in every state.
static inline void device_reset(volatile device_t *dev)
{
    dev->driver_status = DRIVER_RESET;
    device_wait_reset(dev);
}

// The handshake of the assignment; -1 where there is no such device.
static inline int device_setup(volatile device_t *dev, simqueue_t *tx, simqueue_t *rx)
{
    if (dev->magic != MAGIC_VALUE) return -1;
    *tx = device_queue(dev, QUEUE_TX);
    *rx = device_queue(dev, QUEUE_RX);

    queue_send(tx, 'R');
    device_wait_reset(dev);
    dev->driver_status = DRIVER_ACK;
    queue_send(tx, 'C');
    while (dev->device_status != DEVICE_CONFIG) pause();
    dev->driver_status = DRIVER_OK;
    while (dev->device_status != DEVICE_READY) pause();
    return 0;
}

#endif
