// The functions that the parts of {{name}} share, and the instructions that C cannot express.
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

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

// console.c
void printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

// interrupts.c: an interrupt's stack frame, from the last push on
struct frame
{
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};
void interrupts_start(void);
void handle(unsigned irq, void (*handler)(void)); // and unmasks the line
extern volatile uint64_t ticks;                   // 100 per second
__attribute__((noreturn)) void panic(const struct frame *frame, const char *why);

// keyboard.c
void keyboard_start(void);
bool keyboard_take(char *character);

// paging.c
void paging_start(void);
void map(uint64_t linear, uint64_t physical, bool writable);
void *new_page(void); // 4 KiB of zeros
