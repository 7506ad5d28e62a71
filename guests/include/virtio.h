// A driver's side of a virtio device on PCI with one queue: how it is found, the handshake, and a split ring.
// Source: "Virtual I/O Device (VIRTIO) Version 1.3", sections 2.7, 3.1 and 4.1.
#ifndef VIRTIO_H
#define VIRTIO_H

#include "io.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_COMMAND 0x04        // bit 1: memory, bit 2: bus master
#define PCI_BAR 0x10
#define PCI_CAPABILITIES 0x34

#define VIRTIO_ID(type) ((0x1040u + (type)) << 16 | 0x1af4)

enum { CAP_VENDOR = 9, CAP_COMMON = 1, CAP_NOTIFY = 2 };
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 };
enum { DESC_NEXT = 1, DESC_WRITE = 2 };

// The common configuration of every device.
struct virtio_common
{
    uint32_t device_feature_word, device_features, driver_feature_word, driver_features;
    uint16_t config_vector, queues;
    uint8_t status, generation;
    uint16_t queue, queue_size, queue_vector, queue_enable, queue_notify_offset;
    uint32_t descriptors[2], available[2], used[2];
};

struct virtio_descriptor
{
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

#define RING 4                  // descriptors: a power of two

struct virtio_available { uint16_t flags, index, heads[RING]; };
struct virtio_used { uint16_t flags, index; struct { uint32_t head, length; } buffers[RING]; };

static struct virtio_descriptor descriptors[RING] __attribute__((aligned(16)));
static volatile struct virtio_available available __attribute__((aligned(2)));
static volatile struct virtio_used used __attribute__((aligned(4)));
static volatile uint16_t *notify;

static uint32_t pci_read(unsigned slot, unsigned reg)
{
    outl(PCI_ADDRESS, 0x80000000u | slot << 11 | (reg & 0xfc));
    return inl(PCI_DATA);
}

static uint8_t pci_byte(unsigned slot, unsigned reg)
{
    return (uint8_t)(pci_read(slot, reg) >> 8 * (reg & 3));
}

// The slot of the device with this vendor and ID, or -1.
static int virtio_find(uint32_t id)
{
    for (unsigned slot = 0; slot < 32; slot++)
        if (pci_read(slot, 0) == id) return (int)slot;
    return -1;
}

// Vendor capabilities give the base address of a structure, and its offset there.
static volatile void *virtio_structure(unsigned slot, uint8_t kind, uint32_t *multiplier)
{
    for (uint8_t at = pci_byte(slot, PCI_CAPABILITIES); at != 0; at = pci_byte(slot, at + 1u))
    {
        if (pci_byte(slot, at) != CAP_VENDOR || pci_byte(slot, at + 3u) != kind) continue;
        uint32_t base = pci_read(slot, PCI_BAR + 4u * pci_byte(slot, at + 4u)) & 0xfffffff0;
        if (multiplier) *multiplier = pci_read(slot, at + 16u);
        return (volatile void *)(unsigned long)(base + pci_read(slot, at + 8u));
    }
    return 0;
}

// From reset to DRIVER_OK with queue 0. 0 where the device refuses.
static int virtio_start(unsigned slot)
{
    outl(PCI_ADDRESS, 0x80000000u | slot << 11 | PCI_COMMAND);
    outl(PCI_DATA, 6);
    uint32_t multiplier = 0;
    volatile struct virtio_common *common = virtio_structure(slot, CAP_COMMON, 0);
    volatile uint8_t *notifications = virtio_structure(slot, CAP_NOTIFY, &multiplier);
    if (!common || !notifications) return 0;
    common->status = 0;
    while (common->status != 0);
    common->status = ACKNOWLEDGE;
    common->status = ACKNOWLEDGE | DRIVER;
    common->driver_feature_word = 1;
    common->driver_features = 1; // only VERSION_1, bit 32
    common->status = ACKNOWLEDGE | DRIVER | FEATURES_OK;
    if (!(common->status & FEATURES_OK)) return 0;
    common->queue = 0;
    common->queue_size = RING;
    common->descriptors[0] = (uint32_t)(unsigned long)descriptors;
    common->descriptors[1] = 0;
    common->available[0] = (uint32_t)(unsigned long)&available;
    common->available[1] = 0;
    common->used[0] = (uint32_t)(unsigned long)&used;
    common->used[1] = 0;
    notify = (volatile uint16_t *)(notifications + common->queue_notify_offset * multiplier);
    common->queue_enable = 1;
    common->status = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;
    return 1;
}

static inline void virtio_describe(unsigned n, volatile void *bytes, uint32_t length, uint16_t flags)
{
    descriptors[n] = (struct virtio_descriptor){(unsigned long)bytes, length, flags, (uint16_t)(n + 1)};
}

// Makes the chain from descriptor 0 available, notifies, and waits until it was used. The number of bytes that the device wrote.
static uint32_t virtio_request(void)
{
    uint16_t index = available.index;
    available.heads[index % RING] = 0;
    __asm__ volatile("" : : : "memory"); // x86 stores in order: only the compiler has to
    available.index = (uint16_t)(index + 1);
    *notify = 0;
    while (used.index != (uint16_t)(index + 1)) __asm__ volatile("pause");
    return used.buffers[index % RING].length;
}

#endif
