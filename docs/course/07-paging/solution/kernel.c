// Lesson 7, one way to do it.

#include "io.h"

#define PRESENT 0x01ul
#define WRITABLE 0x02ul
#define LARGE 0x80ul

static uint64_t *top_table(void)
{
    uint64_t cr3;
    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    return (uint64_t *)(cr3 & ~0xffful);
}

static uint64_t work(void)
{
    uint64_t *pointers = (uint64_t *)0x300000, *directory = (uint64_t *)0x301000;
    volatile uint64_t *there = (uint64_t *)0x8000000000;

    directory[0] = 0x400000 | PRESENT | WRITABLE | LARGE;
    pointers[0] = (uint64_t)directory | PRESENT | WRITABLE;
    top_table()[1] = (uint64_t)pointers | PRESENT | WRITABLE;
    *there = 0xc0ffee;
    return *there;
}

void _start(void)
{
    halt(work());
}
