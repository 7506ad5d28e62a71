// Our own page tables: four levels, pages of 4 KiB (SDM 3A 5.5). The first 4 MiB are mapped to themselves.
#include "machine.h"

enum { PRESENT = 1, WRITABLE = 2, PAGE = 4096, ENTRIES = 512 };
#define PAGES 64

static uint8_t pages[PAGES][PAGE] __attribute__((aligned(4096))); // the pages for new_page
static unsigned used;
static uint64_t *top;

void *new_page(void)
{
    if (used == PAGES)
    {
        struct frame none = {0};
        panic(&none, "no page is left");
    }
    return pages[used++]; // .bss: zeros
}

void map(uint64_t linear, uint64_t physical, bool writable)
{
    uint64_t *table = top;
    for (int level = 3; level > 0; level--)
    {
        uint64_t *entry = &table[linear >> (12 + 9 * level) & (ENTRIES - 1)];
        if (!(*entry & PRESENT))
            *entry = (uint64_t)new_page() | PRESENT | WRITABLE;
        table = (uint64_t *)(*entry & 0xffffffffff000);
    }
    table[linear >> 12 & (ENTRIES - 1)] = physical | PRESENT | (writable ? WRITABLE : 0);
    __asm__ volatile("invlpg (%0)" : : "r"(linear) : "memory");
}

void paging_start(void)
{
    uint64_t rsp;
    __asm__("mov %%rsp, %0" : "=r"(rsp));
    top = new_page();
    for (uint64_t at = 0; at < 0x400000; at += PAGE)
        map(at, at, true);
    // The initial stack and tables are at the end of memory.
    for (uint64_t at = (rsp & -PAGE) - 15 * PAGE; at <= (rsp | (PAGE - 1)) + 8 * PAGE; at += PAGE)
        map(at, at, true);
    __asm__ volatile("mov %0, %%cr3" : : "r"(top) : "memory");
}
