// How fast bytes leave a guest through a SIMVIRTIO queue. The bench writes what it wants to addresses 0x500 to 0x517 before
// the guest starts; where it says nothing, memory is 0 and the guest takes a few bytes one by one.
//
// The loop that sends runs in ring 3 unless ring 0 is wanted. On a real VMX or SVM processor that makes no difference; where
// KVM emulates ring 0 it is what makes the guest as fast as the processor is.

#include "io.h"
#include "simvirtio.h"

#define WANTED_BYTES (*(volatile uint64_t *)0x500)
#define WANTED_BATCH (*(volatile uint64_t *)0x508) // bytes that are announced together; 1: each byte separately
#define WANTED_KERNEL (*(volatile uint64_t *)0x510) // not 0: send from ring 0
#define DEFAULT_BYTES 2000
#define LARGEST_BATCH 2048

#define KERNEL_CODE 0x08
#define USER_DATA 0x1b // as Terrarium's boot has them in its GDT: docs/cpu-modes.md
#define USER_CODE 0x23
#define TSS_SELECTOR 0x28
#define GENERAL_PROTECTION 13

static simqueue_t tx, rx;
static q_elem_t batch[LARGEST_BATCH];
static uint8_t user_stack[4096] __attribute__((aligned(16)));
static uint8_t fault_stack[4096] __attribute__((aligned(16)));
static uint64_t idt[2 * (GENERAL_PROTECTION + 1)] __attribute__((aligned(16)));

struct __attribute__((packed)) table_register {
    uint16_t limit;
    uint64_t base;
};

static __attribute__((noreturn)) void send_all(void)
{
    uint64_t bytes = WANTED_BYTES != 0 ? WANTED_BYTES : DEFAULT_BYTES;
    uint64_t size = WANTED_BATCH != 0 && WANTED_BATCH <= LARGEST_BATCH ? WANTED_BATCH : 1;

    if (size == 1) {
        for (uint64_t i = 0; i < bytes; i++) queue_send(&tx, (q_elem_t)i);
    } else {
        for (uint64_t left = bytes; left > 0;) {
            unsigned sent = circ_bbuf_push_many(&tx, batch, left < size ? left : size);

            if (sent == 0) pause();
            left -= sent;
        }
    }
    queue_flush(&tx);
    // In ring 0 this halts. Ring 3 may not: there it is a #GP, and the handler in ring 0 halts with RAX as it is here.
    for (;;) __asm__ volatile("hlt" : : "a"(42ul) : "memory");
}

// Ring 3 returns only by a fault.
__asm__(".text\n"
        "general_protection:\n"
        "        hlt\n"
        "        jmp     general_protection\n");
extern char general_protection[];

// The handler's gate, and the stack that the processor takes when it comes from ring 3 (SDM 3A 7.14.1, 8.7).
static void catch_faults(void)
{
    struct table_register gdtr, idtr = {sizeof(idt) - 1, (uint64_t)idt};
    uint64_t handler = (uint64_t)general_protection;
    uint64_t low, high, tss;

    idt[2 * GENERAL_PROTECTION] = (handler & 0xffff) | (uint64_t)KERNEL_CODE << 16 | 0x8e00ull << 32 |
                                  (handler & 0xffff0000) << 32;
    idt[2 * GENERAL_PROTECTION + 1] = handler >> 32;
    __asm__ volatile("lidt %0" : : "m"(idtr));

    __asm__ volatile("sgdt %0" : "=m"(gdtr));
    low = *(uint64_t *)(gdtr.base + TSS_SELECTOR);
    high = *(uint64_t *)(gdtr.base + TSS_SELECTOR + 8);
    tss = (low >> 16 & 0xffffff) | (low >> 56) << 24 | high << 32;
    // RSP0, bytes 4 to 11 of a 64-bit TSS.
    *(volatile uint32_t *)(tss + 4) = (uint32_t)(uint64_t)(fault_stack + sizeof(fault_stack));
    *(volatile uint32_t *)(tss + 8) = 0;
}

static __attribute__((noreturn)) void enter_ring3(void (*code)(void))
{
    // IRETQ takes RIP, CS, RFLAGS, RSP and SS. A function begins with RSP 8 below a multiple of 16.
    __asm__ volatile("pushq   %0\n"
                     "        pushq   %1\n"
                     "        pushq   $2\n"
                     "        pushq   %2\n"
                     "        pushq   %3\n"
                     "        iretq"
                     :
                     : "i"(USER_DATA), "r"(user_stack + sizeof(user_stack) - 8), "i"(USER_CODE), "r"(code)
                     : "memory");
    __builtin_unreachable();
}

void _start(void)
{
    if (device_setup(DEVICE(SINK_DEVICE), &tx, &rx) != 0) halt(1);
    for (unsigned i = 0; i < LARGEST_BATCH; i++) batch[i] = (q_elem_t)i;
    if (WANTED_KERNEL != 0) send_all();
    catch_faults();
    enter_ring3(send_all);
}
