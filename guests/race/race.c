// Processors that add to the same numbers, in 32-bit C: the losses without LOCK, and the cost of a spinlock.
#include "cpus.h"
#include "print.h"

#define ROUNDS 20000

static volatile uint32_t ready, go, done;
static volatile uint32_t by_steps, plain, locked, in_lock;
static volatile uint32_t broken_lock, in_broken_lock;
static volatile uint32_t lock;

// Three instructions: another processor may run between any two.
static void add_by_steps(void)
{
    __asm__ volatile("mov %0, %%eax; inc %%eax; mov %%eax, %0" : "+m"(by_steps) : : "eax", "memory");
}

// One instruction, but a read and a write: without LOCK another processor may run between the two.
static void add_plain(void)
{
    __asm__ volatile("incl %0" : "+m"(plain) : : "memory", "cc");
}

// A spinlock that tests first and then sets: two may test at the same time, and both take it.
static void add_in_broken_lock(void)
{
    while (broken_lock != 0) pause();
    broken_lock = 1;
    in_broken_lock = in_broken_lock + 1;
    broken_lock = 0;
}

// The same with XCHG, which tests and sets in one step.
static void add_in_lock(void)
{
    while (exchange(&lock, 1) != 0) pause();
    in_lock = in_lock + 1;
    lock = 0;
}

static void add_all(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) add_by_steps();
    for (unsigned i = 0; i < ROUNDS; i++) add_plain();
    for (unsigned i = 0; i < ROUNDS; i++) add_in_broken_lock();
    for (unsigned i = 0; i < ROUNDS; i++) add_in_lock();
    for (unsigned i = 0; i < ROUNDS; i++) add_locked(&locked, 1);
}

void other_cpu(unsigned number)
{
    (void)number;
    add_locked(&ready, 1);
    while (!go) pause();
    add_all();
    add_locked(&done, 1);
}

static void tell(const char *how, uint32_t sum, uint32_t all)
{
    print(how);
    print(sum == all ? "nothing is lost\n" : "some are lost\n");
}

void _start(void)
{
    unsigned cpus = count_cpus();
    start_other_cpus();
    while (ready < cpus - 1) pause();
    go = 1;
    add_all();
    while (done < cpus - 1) pause();
    uint32_t all = cpus * ROUNDS;
    tell("load, add, store:       ", by_steps, all);
    tell("INC:                    ", plain, all);
    tell("in a lock of MOV:       ", in_broken_lock, all);
    tell("in a lock of XCHG:      ", in_lock, all);
    tell("LOCK ADD:               ", locked, all);
    halt(in_lock);
}
