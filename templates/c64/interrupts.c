// The table of interrupts, the two controllers, the timer, and the handler of exceptions: a panic with a dump.
// SDM 3A, chapter 7; Intel's 8259A and 8254 datasheets.
#include "machine.h"

enum { CODE = 0x08, VECTORS = 48, FIRST_IRQ = 32, IRQS = 16 };
enum { PIC1 = 0x20, PIC2 = 0xa0, END_OF_INTERRUPT = 0x20, TIMER = 0x40 };
#define TIMER_HZ 1193182

struct gate // of 16 bytes (SDM 3A 7.14.1)
{
    uint16_t offset_low, selector, attributes, offset_middle;
    uint32_t offset_high, reserved;
} __attribute__((packed));

static struct gate idt[VECTORS];
static void (*handlers[IRQS])(void);
volatile uint64_t ticks;

// An entry for each vector. Exceptions without an error code get a 0 in its place, so that all frames have the same form.
__asm__(".altmacro\n"
        ".macro entry vector\n"
        "    .balign 16\n"
        "    .if !(\\vector == 8 || (\\vector >= 10 && \\vector <= 14) || \\vector == 17 || \\vector == 21)\n"
        "    push $0\n"
        "    .endif\n"
        "    push $\\vector\n"
        "    jmp common\n"
        ".endm\n"
        ".balign 16\n"
        "entries:\n"
        ".set n, 0\n"
        ".rept 48\n"
        "    entry %n\n"
        "    .set n, n + 1\n"
        ".endr\n"
        "common:\n"
        "    push %rax; push %rbx; push %rcx; push %rdx; push %rsi; push %rdi; push %rbp; push %r8\n"
        "    push %r9; push %r10; push %r11; push %r12; push %r13; push %r14; push %r15\n"
        "    cld\n"
        "    mov %rsp, %rdi\n"
        "    mov %rsp, %rbx\n"
        "    and $-16, %rsp\n" // as the ABI requires
        "    call interrupted\n"
        "    mov %rbx, %rsp\n"
        "    pop %r15; pop %r14; pop %r13; pop %r12; pop %r11; pop %r10; pop %r9; pop %r8\n"
        "    pop %rbp; pop %rdi; pop %rsi; pop %rdx; pop %rcx; pop %rbx; pop %rax\n"
        "    add $16, %rsp\n"
        "    iretq\n");
extern const uint8_t entries[];

static const char *const names[] = {
    "divide error", "debug", "NMI", "breakpoint", "overflow", "bound range exceeded", "invalid opcode",
    "no x87", "double fault", "", "invalid TSS", "segment not present", "stack fault", "general protection",
    "page fault", "", "x87 error", "alignment check", "machine check", "SIMD error",
};

void panic(const struct frame *frame, const char *why)
{
    uint64_t cr2, cr3;
    __asm__ volatile("mov %%cr2, %0; mov %%cr3, %1" : "=r"(cr2), "=r"(cr3));
    printf("\npanic: %s (vector %lu, error code %lx)\n", why, frame->vector, frame->error);
    printf("rip %016lx  rflags %016lx  cr2 %016lx  cr3 %016lx\n", frame->rip, frame->rflags, cr2, cr3);
    printf("rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n", frame->rax, frame->rbx, frame->rcx, frame->rdx);
    printf("rsi %016lx  rdi %016lx  rbp %016lx  rsp %016lx\n", frame->rsi, frame->rdi, frame->rbp, frame->rsp);
    printf("r8  %016lx  r9  %016lx  r10 %016lx  r11 %016lx\n", frame->r8, frame->r9, frame->r10, frame->r11);
    printf("r12 %016lx  r13 %016lx  r14 %016lx  r15 %016lx\n", frame->r12, frame->r13, frame->r14, frame->r15);
    for (;;)
        __asm__ volatile("cli; hlt");
}

__attribute__((used)) static void interrupted(const struct frame *frame)
{
    if (frame->vector < FIRST_IRQ)
        panic(frame, frame->vector < sizeof(names) / sizeof(*names) ? names[frame->vector] : "exception");
    unsigned irq = frame->vector - FIRST_IRQ;
    if (handlers[irq] != 0)
        handlers[irq]();
    if (irq >= 8)
        outb(PIC2, END_OF_INTERRUPT);
    outb(PIC1, END_OF_INTERRUPT);
}

void handle(unsigned irq, void (*handler)(void))
{
    handlers[irq] = handler;
    uint16_t port = irq < 8 ? PIC1 + 1 : PIC2 + 1;
    outb(port, inb(port) & ~(1 << irq % 8));
}

static void tick(void)
{
    ticks++;
}

void interrupts_start(void)
{
    for (int vector = 0; vector < VECTORS; vector++)
    {
        uint64_t entry = (uint64_t)entries + 16 * vector;
        idt[vector] = (struct gate){entry, CODE, 0x8e00, entry >> 16, entry >> 32, 0};
    }
    struct { uint16_t limit; uint64_t base; } __attribute__((packed)) table = {sizeof(idt) - 1, (uint64_t)idt};
    __asm__ volatile("lidt %0" : : "m"(table));

    // Both controllers: edges, their first vectors, the cascade, the 8086's end of interrupt; all lines masked.
    outb(PIC1, 0x11);
    outb(PIC2, 0x11);
    outb(PIC1 + 1, FIRST_IRQ);
    outb(PIC2 + 1, FIRST_IRQ + 8);
    outb(PIC1 + 1, 1 << 2);
    outb(PIC2 + 1, 2);
    outb(PIC1 + 1, 1);
    outb(PIC2 + 1, 1);
    outb(PIC1 + 1, 0xff & ~(1 << 2));
    outb(PIC2 + 1, 0xff);

    outb(TIMER + 3, 0x34); // counter 0, both bytes, repeatedly
    outb(TIMER, (uint8_t)(TIMER_HZ / 100));
    outb(TIMER, TIMER_HZ / 100 >> 8);
    handle(0, tick);
    __asm__ volatile("sti");
}
