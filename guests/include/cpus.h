// The other processors of a PC, for guests in 32-bit C: how many there are (MultiProcessor Specification 1.4), and how they are
// started (SDM 3A 9.4).
#ifndef CPUS_H
#define CPUS_H

#include "apic.h"
#include "io.h"

#define MOST_CPUS 16
#define APIC_ID 0x20
#define APIC_COMMAND 0x300          // the interrupt command register: the interrupt for other processors
#define APIC_COMMAND_TO 0x310       // ... and its destination
#define COMMAND_INIT 0x4500         // INIT, assert
#define COMMAND_START 0x4600        // start-up; the lowest byte is the page where it starts
#define COMMAND_FIXED 0x4000        // an interrupt; the lowest byte is its vector
#define TO_ALL_OTHERS 0xc0000
#define TRAMPOLINE 0x8000           // a page below 1 MiB, since a processor starts in real mode

static inline uint32_t apic_read(uint32_t offset)
{
    return *(volatile uint32_t *)(APIC + offset);
}

static inline void apic_write(uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(APIC + offset) = value;
}

static inline void pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}

static inline void add_locked(volatile uint32_t *to, uint32_t what)
{
    __asm__ volatile("lock addl %1, %0" : "+m"(*to) : "ir"(what) : "memory", "cc");
}

static inline uint32_t exchange(volatile uint32_t *at, uint32_t value) // XCHG with memory is always locked
{
    __asm__ volatile("xchgl %0, %1" : "+r"(value), "+m"(*at) : : "memory");
    return value;
}

// A write to this port takes a microsecond, on a PC and here.
static inline void wait_microseconds(unsigned count)
{
    while (count-- > 0) outb(0x80, 0);
}

// The MP table's pointer is in the last KiB below 640 KiB or in the BIOS's memory, at a multiple of 16; a processor's entry is
// of type 0.
static unsigned count_cpus(void)
{
    for (const uint8_t *at = (const uint8_t *)0x9fc00; at < (const uint8_t *)0x100000; at += 16) {
        if (*(const uint32_t *)at != 0x5f504d5f) continue; // "_MP_"
        const uint8_t *table = *(const uint8_t *const *)(at + 4);
        const uint8_t *entry = table + 44;
        unsigned cpus = 0;
        for (unsigned left = *(const uint16_t *)(table + 34); left > 0; left--) {
            if (*entry == 0) cpus++;
            entry += *entry == 0 ? 20 : 8;
        }
        return cpus;
    }
    return 1;
}

// The function that each of the others runs. Number 0 is the processor that starts by itself.
void other_cpu(unsigned number);

uint8_t cpu_stacks[MOST_CPUS][4096];
volatile uint32_t cpus_started = 1;
extern const char trampoline[], trampoline_end[];
__asm__(".code16\n"
        "trampoline: cli; xor %ax, %ax; mov %ax, %ds\n"
        "lgdtl trampoline_gdtr - trampoline + 0x8000\n"
        "mov %cr0, %eax; or $1, %al; mov %eax, %cr0; ljmpl $8, $cpu_start\n"
        ".balign 8\n"
        "trampoline_gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
        "trampoline_gdtr: .word 23; .long trampoline_gdt\n"
        "trampoline_end:\n"
        ".code32\n"
        // Each takes the next number, and the stack of that number. Without LOCK two might get the same one.
        "cpu_start: mov $16, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %ss\n"
        "mov $1, %eax; lock xadd %eax, cpus_started\n"
        "lea 1(%eax), %esp; shl $12, %esp; add $cpu_stacks, %esp\n"
        "push %eax; call other_cpu\n"
        "1: cli; hlt; jmp 1b\n");

// INIT, 10 ms, and two start-up interrupts, 200 microseconds apart: the second is for those that missed the first.
static void start_other_cpus(void)
{
    for (const char *from = trampoline; from < trampoline_end; from++)
        *(volatile char *)(TRAMPOLINE + (from - trampoline)) = *from;
    apic_write(APIC_SPURIOUS, APIC_ENABLED | 0xff);
    apic_write(APIC_COMMAND, TO_ALL_OTHERS | COMMAND_INIT);
    wait_microseconds(10000);
    for (int i = 0; i < 2; i++) {
        apic_write(APIC_COMMAND, TO_ALL_OTHERS | COMMAND_START | TRAMPOLINE >> 12);
        wait_microseconds(200);
    }
}

#endif
