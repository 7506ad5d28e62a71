// All processors of a PC, in 32-bit C: their number, their start, their identities, and an interrupt from one to all others.
#include "cpus.h"
#include "descriptors.h"
#include "print.h"

#define VECTOR_CALL 0x50

static struct {
    volatile uint32_t apic, cpuid, calls;
} seen[MOST_CPUS];
static volatile uint32_t here = 1;
static uint64_t idt[VECTOR_CALL + 1];

// The handler of an interrupt that a processor sends: it counts the call, and sends an EOI to its own APIC.
void called(void);
__asm__("called: pusha; call on_call; popa; iret");
void on_call(void)
{
    add_locked(&seen[apic_read(APIC_ID) >> 24].calls, 1);
    apic_write(APIC_EOI, 0);
}

// The number of a processor in CPUID is that of its APIC, unless the latter was changed.
static void introduce(void)
{
    uint32_t a = 1, b, c, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    uint32_t apic = apic_read(APIC_ID) >> 24;
    seen[apic].apic = apic;
    seen[apic].cpuid = b >> 24;
}

void other_cpu(unsigned number)
{
    (void)number;
    introduce();
    load_idt(idt, sizeof(idt));
    apic_write(APIC_SPURIOUS, APIC_ENABLED | 0xff);
    add_locked(&here, 1);
    __asm__ volatile("sti; hlt"); // until it is called; then it is done
}

void _start(void)
{
    unsigned cpus = count_cpus();
    print_value("processors in the MP table: ", cpus);
    uint16_t code;
    __asm__("mov %%cs, %0" : "=r"(code));
    idt[VECTOR_CALL] = gate(called, code, PRESENT | INTERRUPT_GATE);
    introduce();
    start_other_cpus();
    while (here < cpus) pause();
    for (unsigned i = 0; i < cpus; i++) {
        print("APIC ");
        print_hex(seen[i].apic);
        print_value(", CPUID says ", seen[i].cpuid);
    }
    apic_write(APIC_COMMAND, TO_ALL_OTHERS | COMMAND_FIXED | VECTOR_CALL);
    unsigned answers = 0;
    for (unsigned i = 1; i < cpus; i++) {
        while (seen[i].calls == 0) pause();
        answers += seen[i].calls;
    }
    print_value("answered a call: ", answers);
    halt(cpus);
}
