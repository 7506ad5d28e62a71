// Two rings in long mode: a kernel in ring 0, a program in ring 3, and SYSCALL between them.
#include "descriptors.h"
#include "print.h"

// SYSCALL and SYSRET compute their selectors from two numbers in STAR, so the order is given (SDM 3A 6.8.8).
enum { KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, USER_DATA = 0x18 | 3, USER_CODE = 0x20 | 3, TASK = 0x28 };

enum { EFER = 0xc0000080, STAR = 0xc0000081, LSTAR = 0xc0000082, FMASK = 0xc0000084 };
#define EFER_SCE 1
#define RFLAGS_IF 0x200
#define RFLAGS_IOPL 0x3000ull

static uint64_t gdt[7];
static struct gate idt[32];
static struct tss tss = {.io_map = sizeof(tss)};
static uint8_t kernel_stack[4096] __attribute__((aligned(16))), user_stack[4096] __attribute__((aligned(16)));

// 1 if SYSCALL arrived in ring 3 and an exception had to change to ring 0; see the page.
#define LIFTED ((volatile uint8_t *)0x500)

// ---------------------------------------------------------------------------------------------- ring 3

enum { PRINT, PRINT_VALUE, EXIT };

static inline long system_call(long number, const void *first, long second)
{
    long result;
    // The CPU itself needs RCX for the address to return to and R11 for the flags.
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second)
                     : "rcx", "r11", "memory");
    return result;
}

static inline unsigned ring(void)
{
    unsigned cs;
    __asm__ volatile("mov %%cs, %0" : "=r"(cs));
    return cs & 3;
}

static void user(void)
{
    system_call(PRINT_VALUE, "  the program runs in ring ", ring());
    system_call(PRINT, "  it tries HLT:          ", 0);
    __asm__ volatile("hlt");
    system_call(PRINT, "  it tries OUT:          ", 0);
    __asm__ volatile("out %%al, $0xe9" : : "a"('!'));
    system_call(PRINT, "  it tries to read CR3:  ", 0);
    __asm__ volatile("mov %%cr3, %%rax" : : : "rax");
    system_call(PRINT, "  it tries UD2:          ", 0);
    __asm__ volatile("ud2");
    long unknown = system_call(12345, 0, 0);
    system_call(PRINT_VALUE, "  an unknown system call gives ", unknown);
    system_call(PRINT_VALUE, "  and it is still in ring ", ring());
    system_call(EXIT, 0, 42);
}

// ---------------------------------------------------------------------------------------------- ring 0

// The registers that the entries have pushed, followed by IRETQ's frame.
struct frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

static void do_system_call(struct frame *frame)
{
    const char *text = (const char *)frame->rdi;
    long result = 0;
    switch (frame->rax) {
    case PRINT: print(text); break;
    case PRINT_VALUE: print_value(text, frame->rsi); break;
    case EXIT:
        print_value("back in ring ", ring());
        halt(frame->rsi);
    default: result = -38;
    }
    frame->rax = (uint64_t)result;
}

extern uint8_t lift[]; // The UD2 at the end of syscall_entry

__attribute__((used)) void on_exception(struct frame *frame)
{
    if (frame->vector == 6 && frame->rip == (uint64_t)lift) {
        *LIFTED = 1;
        frame->rip = frame->rcx;
        frame->rflags = frame->r11 & ~RFLAGS_IOPL; // the program chooses R11, if it jumps here itself
        do_system_call(frame);
        return;
    }
    print(frame->vector == 6 ? "#UD" : frame->vector == 13 ? "#GP" : "an exception");
    print_value(", error code ", frame->error);
    if ((frame->cs & 3) == 0) halt(0xdead);
    // The lengths of the program's attempts: HLT 1 byte, OUT and UD2 2, MOV from CR3 3. Continue after it.
    const uint8_t *at = (const uint8_t *)frame->rip;
    frame->rip += at[0] == 0xf4 ? 1 : at[0] == 0x0f && at[1] == 0x20 ? 3 : 2;
}

__attribute__((used)) void on_system_call(struct frame *frame)
{
    do_system_call(frame);
}

uint64_t kernel_rsp, user_rsp;
uint16_t entry_cs;
void syscall_entry(void), invalid_opcode_entry(void), protection_entry(void);

#define PUSH_ALL                                                                                               \
    "push %rax; push %rbx; push %rcx; push %rdx; push %rsi; push %rdi; push %rbp; push %r8;"                   \
    "push %r9; push %r10; push %r11; push %r12; push %r13; push %r14; push %r15;"
#define POP_ALL                                                                                                \
    "pop %r15; pop %r14; pop %r13; pop %r12; pop %r11; pop %r10; pop %r9;"                                     \
    "pop %r8; pop %rbp; pop %rdi; pop %rsi; pop %rdx; pop %rcx; pop %rbx; pop %rax;"

// An exception switches to the stack in the TSS and pushes SS, RSP, RFLAGS, CS, RIP and, for some, an error code.
__asm__("invalid_opcode_entry: pushq $0; pushq $6; jmp exception\n"
        "protection_entry: pushq $13\n"
        "exception: " PUSH_ALL "mov %rsp, %rdi; call on_exception; " POP_ALL "add $16, %rsp; iretq");

// SYSCALL switches nothing but CS, SS and RIP, and pushes nothing: that is why it is fast. The entry finds a stack itself
// and builds the frame of an exception, so that both ways back are the same IRETQ.
__asm__("syscall_entry: mov %cs, entry_cs; testb $3, entry_cs; jnz lift\n"
        "mov %rsp, user_rsp; mov kernel_rsp, %rsp\n"
        "pushq $0x1b; pushq user_rsp; push %r11; pushq $0x23; push %rcx; pushq $0; pushq $0\n" PUSH_ALL
        "mov %rsp, %rdi; call on_system_call; " POP_ALL "add $16, %rsp; iretq\n"
        "lift: ud2");
_Static_assert(USER_DATA == 0x1b && USER_CODE == 0x23, "the selectors that syscall_entry pushes");

static uint64_t read_msr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static void write_msr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

void _start(void)
{
    gdt[KERNEL_CODE / 8] = segment(0, 0xfffff, PRESENT | RING(0) | CODE, PAGES | BITS_64);
    gdt[KERNEL_DATA / 8] = segment(0, 0xfffff, PRESENT | RING(0) | DATA, PAGES | BITS_32);
    gdt[USER_DATA / 8] = segment(0, 0xfffff, PRESENT | RING(3) | DATA, PAGES | BITS_32);
    gdt[USER_CODE / 8] = segment(0, 0xfffff, PRESENT | RING(3) | CODE, PAGES | BITS_64);
    set_tss(&gdt[TASK / 8], &tss);
    load_gdt(gdt, sizeof(gdt));
    idt[6] = gate(invalid_opcode_entry, KERNEL_CODE, PRESENT | INTERRUPT_GATE);
    idt[13] = gate(protection_entry, KERNEL_CODE, PRESENT | INTERRUPT_GATE);
    load_idt(idt, sizeof(idt));
    // Both entries use one stack: nothing here interrupts the kernel.
    tss.rsp0 = kernel_rsp = (uint64_t)(kernel_stack + sizeof(kernel_stack));
    load_tr(TASK);
    write_msr(EFER, read_msr(EFER) | EFER_SCE);
    // SYSCALL takes CS from bits 32-47 and SS 8 above it; SYSRET's base is in bits 48-63.
    write_msr(STAR, (uint64_t)KERNEL_CODE << 32 | (uint64_t)KERNEL_DATA << 48);
    write_msr(LSTAR, (uint64_t)syscall_entry);
    write_msr(FMASK, RFLAGS_IF);

    print_value("the kernel runs in ring ", ring());
    // IRETQ always takes five words: SS, RSP, RFLAGS, CS, RIP.
    __asm__ volatile("pushq %0; push %1; pushq $2; pushq %2; push %3; iretq"
                     :
                     : "i"(USER_DATA), "r"(user_stack + sizeof(user_stack) - 8), "i"(USER_CODE), "r"(user));
    __builtin_unreachable();
}
