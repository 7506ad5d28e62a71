// Task switches in hardware, in 32-bit protected mode: one far jump stores all registers in one
// TSS and loads all from another (SDM 3A 8.3). No current system uses them, and 64-bit mode has none.
#include "descriptors.h"
#include "print.h"

enum { KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, MAIN = 0x18, PING = 0x20, SUM = 0x28, RESCUE = 0x30 };

#define EFLAGS_NT 0x4000 // nested task: IRET goes back to the task in the TSS's link field

static uint64_t gdt[7], idt[32];
static struct tss main_task, ping, sum, rescue;
static uint8_t stacks[3][1024] __attribute__((aligned(16)));

static inline uint16_t task_register(void)
{
    uint16_t selector;
    __asm__ volatile("str %0" : "=r"(selector));
    return selector;
}

// Bit 1 of the descriptor's type: the CPU marks a task that runs, or waits for one that it called.
static unsigned busy(unsigned selector)
{
    return gdt[selector / 8] >> 41 & 1;
}

static void task_ping(void)
{
    for (unsigned turn = 1;; turn++) {
        print_value("  ping, task ", task_register());
        print_value("    its turn ", turn);
        // When another task jumps back, this one continues after the jump.
        __asm__ volatile("ljmp %0, $0" : : "i"(MAIN) : "memory");
    }
}

static unsigned first, second, result;

static void task_sum(void)
{
    for (;;) {
        unsigned flags;
        __asm__ volatile("pushf; pop %0" : "=r"(flags));
        print_value("  sum, called by task ", sum.link);
        print_value("    nested (NT):       ", flags & EFLAGS_NT);
        print_value("    main is busy:      ", busy(MAIN));
        result = first + second;
        __asm__ volatile("iret" : : : "memory");
    }
}

static void task_rescue(void)
{
    for (;;) {
        // In every state of the victim, this task has its own registers and stack: kernels use a task gate for
        // the double fault, where the stack itself may be what is broken. The victim's registers are in its TSS.
        print_value("  rescue, task ", task_register());
        print_value("    the fault's eip is in main's TSS: ", main_task.eip != 0);
        main_task.eip += 2; // after UD2
        __asm__ volatile("iret" : : : "memory");
    }
}

static void make(struct tss *task, unsigned selector, void (*function)(void), uint8_t stack[1024])
{
    *task = (struct tss){.eip = (uint32_t)function,
                         .esp = (uint32_t)(stack + 1024),
                         .eflags = 2,
                         .cs = KERNEL_CODE,
                         .ds = KERNEL_DATA,
                         .es = KERNEL_DATA,
                         .ss = KERNEL_DATA,
                         .fs = KERNEL_DATA,
                         .gs = KERNEL_DATA,
                         .io_map = sizeof(*task)};
    gdt[selector / 8] = segment((uint32_t)task, sizeof(*task) - 1, PRESENT | TSS, 0);
}

void _start(void)
{
    gdt[KERNEL_CODE / 8] = segment(0, 0xfffff, PRESENT | CODE, PAGES | BITS_32);
    gdt[KERNEL_DATA / 8] = segment(0, 0xfffff, PRESENT | DATA, PAGES | BITS_32);
    make(&main_task, MAIN, 0, stacks[0]); // the CPU fills it in when this task is left
    make(&ping, PING, task_ping, stacks[0]);
    make(&sum, SUM, task_sum, stacks[1]);
    make(&rescue, RESCUE, task_rescue, stacks[2]);
    load_gdt(gdt, sizeof(gdt));
    __asm__ volatile("ljmp %0, $1f; 1:" : : "i"(KERNEL_CODE));
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss; mov %0, %%fs; mov %0, %%gs" : : "r"(KERNEL_DATA));
    idt[6] = gate(0, RESCUE, PRESENT | TASK_GATE);
    load_idt(idt, sizeof(idt));
    load_tr(MAIN);

    print_value("main, task ", task_register());
    print("two jumps to ping:\n");
    __asm__ volatile("ljmp %0, $0" : : "i"(PING) : "memory");
    __asm__ volatile("ljmp %0, $0" : : "i"(PING) : "memory");
    print("a call of sum:\n");
    first = 40;
    second = 2;
    __asm__ volatile("lcall %0, $0" : : "i"(SUM) : "memory");
    print_value("  the sum is ", result);
    print("a fault through a task gate:\n");
    __asm__ volatile("ud2" : : : "memory");
    print_value("main again, task ", task_register());
    halt(result);
}
