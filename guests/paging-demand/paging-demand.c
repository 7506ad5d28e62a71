// Memory that is allocated on the first access: a page fault handler that maps pages on demand, and copies on write.
//
// The program uses a terabyte that is not mapped. Each first touch of a page is a fault; the handler allocates a page of
// RAM for it and returns, and the CPU executes the instruction again. One source for 64 bits (four levels of tables) and for
// 32 bits (two levels).
#include "descriptors.h"
#include "print.h"

typedef unsigned long word; // As wide as an address

#define PAGE_SIZE 4096u
#define PRESENT_BIT 1
#define WRITABLE_BIT 2
#define ADDRESS(entry) ((entry) & ~(word)0xfff)

// The error code of a page fault (SDM 3A 5.7).
#define FAULT_PROTECTION 1 // the page is present, but without this right
#define FAULT_WRITE 2

#ifdef __x86_64__
#define LEVELS 4
#define INDEX_BITS 9
#define FAR_AWAY 0x10000000000ul // 1 TiB
#define APART 0x40000000ul       // 1 GiB from one touch to the next
#define KERNEL_CODE 0x08
#else
#define LEVELS 2
#define INDEX_BITS 10
#define FAR_AWAY 0xc0000000ul // 3 GiB, over what Terrarium has mapped there
#define APART 0x400000ul      // 4 MiB
#define KERNEL_CODE 0x08
#endif

// RAM for pages and page tables, taken from the front. It is zero: it is unused so far.
static uint8_t pool[64][PAGE_SIZE] __attribute__((aligned(4096)));
static unsigned used;
static unsigned faults, copies;
// The page that all untouched memory reads.
static uint8_t zero_page[PAGE_SIZE] __attribute__((aligned(4096)));

static word take_page(void)
{
    if (used == sizeof(pool) / PAGE_SIZE) {
        print("out of memory\n");
        halt(0xdead);
    }
    return (word)pool[used++];
}

static inline word read_cr2(void)
{
    word address;
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    return address;
}

// The entry that maps `address`; missing tables are made.
static word *entry_of(word address)
{
    word table;
    __asm__ volatile("mov %%cr3, %0" : "=r"(table));
    for (int level = LEVELS - 1;; level--) {
        word index = address >> (12 + level * INDEX_BITS) & ((1 << INDEX_BITS) - 1);
        word *entry = (word *)ADDRESS(table) + index;
        if (level == 0) return entry;
        if ((*entry & PRESENT_BIT) == 0) *entry = take_page() | WRITABLE_BIT | PRESENT_BIT;
        table = *entry;
    }
}

static void map(word address, word page, word rights)
{
    *entry_of(address) = page | rights | PRESENT_BIT;
    // The TLB may still have the old entry.
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

__attribute__((used)) void on_page_fault(word error)
{
    word address = read_cr2();
    faults++;
    print("  fault: ");
    print(error & FAULT_WRITE ? "write to " : "read of ");
    print_hex(address);
    if (address < FAR_AWAY) {
        print(", which is nobody's\n");
        halt(0xdead);
    }
    if ((error & FAULT_WRITE) == 0) {
        print(": the zero page, read-only\n");
        map(address, (word)zero_page, 0);
        return;
    }
    if (error & FAULT_PROTECTION) copies++;
    print(error & FAULT_PROTECTION ? ": a copy of its own\n" : ": a new page\n");
    // An unused page of the pool is a copy of the zero page; any other page's bytes would have to be copied here.
    map(address, take_page(), WRITABLE_BIT);
}

void page_fault_entry(void);
#ifdef __x86_64__
__asm__("page_fault_entry: push %rax; push %rcx; push %rdx; push %rsi; push %rdi; push %r8; push %r9; push %r10;"
        "push %r11; mov 72(%rsp), %rdi; call on_page_fault; pop %r11; pop %r10; pop %r9; pop %r8; pop %rdi; pop %rsi;"
        "pop %rdx; pop %rcx; pop %rax; add $8, %rsp; iretq");
static struct gate idt[15];
#else
__asm__("page_fault_entry: pusha; push 32(%esp); call on_page_fault; add $4, %esp; popa; add $4, %esp; iret");
static uint64_t idt[15];
#endif

void _start(void)
{
    volatile word *memory = (volatile word *)FAR_AWAY;
    word sum = 0;
    idt[14] = gate(page_fault_entry, KERNEL_CODE, PRESENT | INTERRUPT_GATE);
    load_idt(idt, sizeof(idt));
#ifndef __x86_64__
    // The directory that Terrarium made maps all 4 GiB. Remove the last one, and flush it from the TLB.
    word directory;
    __asm__ volatile("mov %%cr3, %0" : "=r"(directory));
    for (word i = FAR_AWAY >> 22; i < 1024; i++) ((word *)directory)[i] = 0;
    __asm__ volatile("mov %0, %%cr3" : : "r"(directory) : "memory");
#endif

    print("Three writes, far apart:\n");
    for (word i = 0; i < 3; i++) memory[i * APART / sizeof(word)] = 10 + i;
    print("The same places again, without a fault:\n");
    for (word i = 0; i < 3; i++) sum += memory[i * APART / sizeof(word)];
    print_value("  the sum is ", sum);
    print("A read where nobody has written, and then a write:\n");
    volatile word *fresh = (volatile word *)(FAR_AWAY + 0x5000);
    sum += *fresh;
    *fresh = 9;
    sum += *fresh;
    print_value("  the sum is ", sum);
    print_value("page faults:           ", faults);
    print_value("copies on write:       ", copies);
    print_value("pages and tables used: ", used);
    halt(sum);
}
