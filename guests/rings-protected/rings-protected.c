// Two rings in 32-bit protected mode: a kernel in ring 0, a program in ring 3, and the gates between them.
//
// Down to ring 3 goes an IRET: the kernel lays out the stack as if ring 3 had been interrupted, and returns to it. Back
// up go an interrupt gate (INT 0x80, as Linux had it), a call gate (a far CALL), and any exception.
#include "descriptors.h"
#include "print.h"

// Selectors; the low two bits are the ring that asks (RPL).
enum {
    KERNEL_CODE = 0x08,
    KERNEL_DATA = 0x10,
    USER_CODE = 0x18 | 3,
    USER_DATA = 0x20 | 3,
    TASK = 0x28,
    ADD_GATE = 0x30 | 3,
};

static uint64_t gdt[7], idt[0x81];
static struct tss tss = {.ss0 = KERNEL_DATA, .io_map = sizeof(tss)};
static uint8_t kernel_stack[4096], user_stack[4096];

// ---------------------------------------------------------------------------------------------- ring 3

enum { PRINT, PRINT_VALUE, EXIT };

static inline void system_call(int number, const void *first, unsigned second)
{
    __asm__ volatile("int $0x80" : : "a"(number), "b"(first), "c"(second) : "memory");
}

static inline unsigned ring(void)
{
    unsigned cs;
    __asm__("mov %%cs, %0" : "=r"(cs));
    return cs & 3;
}

// A far call names a selector; the offset is ignored, the gate knows where to go.
static unsigned add_in_ring_0(unsigned first, unsigned second)
{
    unsigned sum;
    __asm__ volatile("push %2; push %1; lcall %3, $0" : "=a"(sum) : "r"(first), "r"(second), "i"(ADD_GATE) : "memory");
    return sum;
}

static void user(void)
{
    system_call(PRINT_VALUE, "  the program runs in ring ", ring());
    system_call(PRINT_VALUE, "  a call gate adds 40 and 2: ", add_in_ring_0(40, 2));
    system_call(PRINT, "  it tries HLT: ", 0);
    __asm__ volatile("hlt");
    system_call(PRINT, "  it tries OUT: ", 0);
    __asm__ volatile("out %%al, $0xe9" : : "a"('!'));
    system_call(PRINT, "  it tries CLI: ", 0);
    __asm__ volatile("cli");
    system_call(PRINT_VALUE, "  and it is still in ring ", ring());
    system_call(EXIT, 0, 42);
}

// ---------------------------------------------------------------------------------------------- ring 0

// What the entries below have pushed, and after it what the CPU pushed: with a change of ring also the outer stack.
struct frame {
    uint32_t edi, esi, ebp, esp_here, ebx, edx, ecx, eax;
    uint32_t error, eip, cs, eflags, esp, ss;
};

__attribute__((used)) void on_system_call(struct frame *frame)
{
    const char *text = (const char *)frame->ebx;
    if (frame->eax == PRINT) print(text);
    if (frame->eax == PRINT_VALUE) print_value(text, frame->ecx);
    if (frame->eax == EXIT) {
        print_value("back in ring ", ring());
        halt(frame->ecx);
    }
}

__attribute__((used)) void on_protection_fault(struct frame *frame)
{
    print_value("#GP, error code ", frame->error);
    if ((frame->cs & 3) == 0) halt(0xdead);
    // HLT and CLI have one byte, OUT with a constant port has two: continue after it.
    frame->eip += *(uint8_t *)frame->eip == 0xe6 ? 2 : 1;
}

// The CPU has switched to the stack that the TSS names, and pushed where it came from. The C code wants ring 0's data
// segment in DS; ring 3 has the same bytes in its own, so nothing has to be loaded.
void system_call_entry(void), protection_entry(void), add_entry(void);
__asm__("system_call_entry: push $0; pusha; push %esp; call on_system_call; add $4, %esp; popa; add $4, %esp; iret");
__asm__("protection_entry: pusha; push %esp; call on_protection_fault; add $4, %esp; popa; add $4, %esp; iret");
// A call gate copies the parameters to the new stack, behind the return address (SDM 3A 6.8.5); RET 8 drops them on both.
__asm__("add_entry: mov 8(%esp), %eax; add 12(%esp), %eax; lret $8");

void _start(void)
{
    gdt[KERNEL_CODE / 8] = segment(0, 0xfffff, PRESENT | RING(0) | CODE, PAGES | BITS_32);
    gdt[KERNEL_DATA / 8] = segment(0, 0xfffff, PRESENT | RING(0) | DATA, PAGES | BITS_32);
    gdt[USER_CODE / 8] = segment(0, 0xfffff, PRESENT | RING(3) | CODE, PAGES | BITS_32);
    gdt[USER_DATA / 8] = segment(0, 0xfffff, PRESENT | RING(3) | DATA, PAGES | BITS_32);
    gdt[TASK / 8] = segment((uint32_t)&tss, sizeof(tss) - 1, PRESENT | TSS, 0);
    // The byte between selector and access is the number of parameters that the gate copies.
    gdt[ADD_GATE / 8] = gate(add_entry, KERNEL_CODE, PRESENT | RING(3) | CALL_GATE) | 2ull << 32;
    load_gdt(gdt, sizeof(gdt));
    __asm__ volatile("ljmp %0, $1f; 1:" : : "i"(KERNEL_CODE));
    __asm__ volatile("mov %0, %%ss" : : "r"(KERNEL_DATA));
    idt[13] = gate(protection_entry, KERNEL_CODE, PRESENT | INTERRUPT_GATE);
    idt[0x80] = gate(system_call_entry, KERNEL_CODE, PRESENT | RING(3) | INTERRUPT_GATE);
    load_idt(idt, sizeof(idt));
    // The stack for all entries from ring 3.
    tss.esp0 = (uint32_t)(kernel_stack + sizeof(kernel_stack));
    load_tr(TASK);

    print_value("the kernel runs in ring ", ring());
    // IRET to an outer ring takes five words: SS, ESP, EFLAGS, CS, EIP (SDM 2A, IRET). Interrupts stay off.
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs;"
                     "push %0; push %1; push $2; push %2; push %3; iret"
                     :
                     : "r"(USER_DATA), "r"(user_stack + sizeof(user_stack)), "i"(USER_CODE), "r"(user));
    __builtin_unreachable();
}
