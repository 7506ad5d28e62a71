// Descriptors and the tables that hold them, for 32 and 64 bits (SDM 3A 3.4.5, 3.5, 6.11, 8.2).
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <stdint.h>

// The access byte: present, ring, and the type with its S bit.
#define PRESENT 0x80
#define RING(n) ((n) << 5)
#define CODE 0x1b            // executable, readable, accessed
#define DATA 0x13            // writable, accessed
#define DATA_READ_ONLY 0x11  // accessed
#define TASK_GATE 0x05       // 32 bits only
#define TSS 0x09             // available; the CPU makes it 0x0b, busy
#define CALL_GATE 0x0c
#define INTERRUPT_GATE 0x0e  // clears IF on the way in; a trap gate (0x0f) does not

// The flags in the high nibble.
#define PAGES 0x8   // G: the limit counts pages of 4 KiB
#define BITS_32 0x4 // D/B
#define BITS_64 0x2 // L, for code

// A segment's descriptor. `limit` is the last byte's offset, or the last page's with PAGES.
static inline uint64_t segment(uint32_t base, uint32_t limit, unsigned access, unsigned flags)
{
    return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)access << 40
           | (uint64_t)(limit >> 16 & 0xf) << 48 | (uint64_t)flags << 52 | (uint64_t)(base >> 24) << 56;
}

// The operand of LGDT and LIDT.
struct table {
    uint16_t limit;
    unsigned long base;
} __attribute__((packed));

static inline void load_gdt(const void *base, unsigned size)
{
    struct table table = {(uint16_t)(size - 1), (unsigned long)base};
    __asm__ volatile("lgdt %0" : : "m"(table) : "memory");
}

static inline void load_idt(const void *base, unsigned size)
{
    struct table table = {(uint16_t)(size - 1), (unsigned long)base};
    __asm__ volatile("lidt %0" : : "m"(table) : "memory");
}

static inline void load_tr(uint16_t selector)
{
    __asm__ volatile("ltr %0" : : "r"(selector) : "memory");
}

#ifdef __x86_64__

// An entry of a 64-bit IDT: 16 bytes. `stack` is the IST number, 0 for none.
struct gate {
    uint16_t offset_low, selector;
    uint8_t stack, access;
    uint16_t offset_middle;
    uint32_t offset_high, zero;
};

// The 64-bit TSS (SDM 3A figure 8-11): without registers, with the stacks for switches.
struct tss {
    uint32_t zero0;
    uint64_t rsp0, rsp1, rsp2, zero1, ist[7], zero2;
    uint16_t zero3, io_map;
} __attribute__((packed));

// The TSS's descriptor has 16 bytes here: its second half is the base's.
static inline void set_tss(uint64_t *descriptor, const struct tss *tss)
{
    descriptor[0] = segment((uint32_t)(uint64_t)tss, sizeof(*tss) - 1, PRESENT | TSS, 0);
    descriptor[1] = (uint64_t)tss >> 32;
}

static inline struct gate gate(void (*handler)(void), uint16_t selector, unsigned access)
{
    uint64_t offset = (uint64_t)handler;
    return (struct gate){.offset_low = (uint16_t)offset,
                         .selector = selector,
                         .access = (uint8_t)access,
                         .offset_middle = (uint16_t)(offset >> 16),
                         .offset_high = (uint32_t)(offset >> 32)};
}

#else

// A call, interrupt or task gate: 8 bytes.
static inline uint64_t gate(void (*handler)(void), uint16_t selector, unsigned access)
{
    uint32_t offset = (uint32_t)handler;
    return (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)access << 40 | (uint64_t)(offset >> 16) << 48;
}

// The 32-bit TSS (SDM 3A figure 8-2).
struct tss {
    uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3;
    uint32_t eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, io_map;
};

#endif
#endif
