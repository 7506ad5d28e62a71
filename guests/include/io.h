// The instructions that C cannot express.
#ifndef IO_H
#define IO_H

#include <stdint.h>

#include "ports.h"

static inline void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void outl(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

// Ends the guest with `result` in RAX (EAX), where the monitor reads it. HLT is in a loop because
// an interrupt may wake the processor.
static inline __attribute__((noreturn)) void halt(unsigned long result)
{
    for (;;) __asm__ volatile("hlt" : : "a"(result) : "memory");
}

#endif
