// Lesson 7. Long mode; page tables map every address to itself. Make a new address:
//
//   0x8000000000 (512 GiB: the second entry of the top table) is to be the 2 MiB of memory at 0x400000.
//
//   1. A page directory pointer table at 0x300000, whose first entry leads to
//   2. a page directory at 0x301000, whose first entry is a large page at 0x400000;
//   3. the top table's entry 1 leads to the first of them. CR3 says where the top table is.
//   4. Store 0xC0FFEE at the new address, and return what you read there.

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
    (void)top_table;
    return 0; // your code
}

void _start(void)
{
    halt(work());
}
