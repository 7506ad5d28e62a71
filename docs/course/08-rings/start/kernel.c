// Lesson 8. Long mode, ring 0. Below is a program for ring 3, and a kernel that has to get there and back.
//
//   1. Give the processor a stack for the way up: the end of kernel_stack into tss.rsp0.
//   2. Write enter(): push SS, RSP, RFLAGS, CS and RIP, and go to ring 3 by IRETQ.
//   3. The program's OUT faults. If it is one to the console (in bytes: e6 e9), do it for the program, with the AL that
//      the program had, and let it continue after the instruction.

#include "descriptors.h"
#include "io.h"

enum { KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, USER_DATA = 0x18, USER_CODE = 0x20, TASK = 0x28 };

// Where the check looks: the ring that the program saw; CS and SS that the processor pushed; the faults.
#define RING_SEEN ((volatile uint16_t *)0x500)
#define CS_PUSHED ((volatile uint16_t *)0x502)
#define SS_PUSHED ((volatile uint16_t *)0x504)
#define FAULTS ((volatile uint16_t *)0x506)

static uint64_t gdt[7];
static struct gate idt[32];
static struct tss tss = {.io_map = sizeof(tss)};
static uint8_t kernel_stack[4096] __attribute__((aligned(16))), user_stack[4096] __attribute__((aligned(16)));

// ---------------------------------------------------------------------------------------------- ring 3

static void program(void)
{
    uint16_t cs;
    __asm__ volatile("mov %%cs, %0" : "=r"(cs));
    *RING_SEEN = cs & 3;
    for (const char *text = "Hi from ring 3\n"; *text != '\0'; text++) outb(PORT_DEBUG_CONSOLE, *text);
    halt(42);
}

// ---------------------------------------------------------------------------------------------- ring 0

// What protection_entry has pushed, and after it what the processor pushed.
struct frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t error, rip, cs, rflags, rsp, ss;
};

__attribute__((used)) void on_protection_fault(struct frame *frame)
{
    const uint8_t *instruction = (const uint8_t *)frame->rip;

    if ((frame->cs & 3) == 0) halt(1); // the kernel's own mistake
    *CS_PUSHED = frame->cs;
    *SS_PUSHED = frame->ss;
    ++*FAULTS;
    if (instruction[0] == 0xf4) halt(frame->rax); // HLT: the program's end
    halt(2); // your code: the OUT
}

void protection_entry(void);
__asm__("protection_entry:\n"
        "push %rax; push %rbx; push %rcx; push %rdx; push %rsi; push %rdi; push %rbp; push %r8\n"
        "push %r9; push %r10; push %r11; push %r12; push %r13; push %r14; push %r15\n"
        "mov %rsp, %rdi; call on_protection_fault\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %r11; pop %r10; pop %r9\n"
        "pop %r8; pop %rbp; pop %rdi; pop %rsi; pop %rdx; pop %rcx; pop %rbx; pop %rax\n"
        "add $8, %rsp; iretq");

static void enter(void (*where)(void), void *stack)
{
    (void)where, (void)stack;
    halt(0); // your code: five words, and IRETQ
}

void _start(void)
{
    gdt[KERNEL_CODE / 8] = segment(0, 0xfffff, PRESENT | RING(0) | CODE, PAGES | BITS_64);
    gdt[KERNEL_DATA / 8] = segment(0, 0xfffff, PRESENT | RING(0) | DATA, PAGES | BITS_32);
    gdt[USER_DATA / 8] = segment(0, 0xfffff, PRESENT | RING(3) | DATA, PAGES | BITS_32);
    gdt[USER_CODE / 8] = segment(0, 0xfffff, PRESENT | RING(3) | CODE, PAGES | BITS_64);
    set_tss(&gdt[TASK / 8], &tss);
    load_gdt(gdt, sizeof(gdt));
    load_tr(TASK);
    idt[13] = gate(protection_entry, KERNEL_CODE, PRESENT | INTERRUPT_GATE);
    load_idt(idt, sizeof(idt));

    (void)kernel_stack; // your code: tss.rsp0
    enter(program, user_stack + sizeof(user_stack) - 8);
}
