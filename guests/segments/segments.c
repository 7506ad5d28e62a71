// Segments with limits: the protection in protected mode, before there was paging.
//
// The kernel makes a GDT of its own, with small segments in it, and breaks each rule once. The CPU answers with an
// exception, and the handler says which. It does not return to the faulting instruction; it continues after it.
#include "descriptors.h"
#include "print.h"

enum { KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, SMALL = 0x18, READ_ONLY = 0x20, ABSENT = 0x28 };

static uint8_t bytes[32] = "sixteen bytes...and those behind";
static uint64_t gdt[6];
static uint64_t idt[32];

// Set by the handler; -1 while nothing has happened.
volatile int vector;
volatile uint32_t error;
// Where the handler continues, and with which stack.
uint32_t resume_eip, resume_esp;

// The exceptions of segmentation all push an error code (SDM 3A table 7-1). What the CPU has pushed besides it, to return
// to the faulting instruction, is dropped with the stack. No register changes: the C code around knows nothing of this.
#define HANDLER(number)                                                                                        \
    void handler_##number(void);                                                                               \
    __asm__("handler_" #number ": movl $" #number ", vector; popl error; mov resume_esp, %esp; jmp *resume_eip")

HANDLER(11); // #NP: a segment that is not present
HANDLER(12); // #SS: the stack segment's limit
HANDLER(13); // #GP: everything else

// Runs one instruction that may fault; the handler comes back to its end.
#define TRY(instruction, ...)                                                                                  \
    do {                                                                                                       \
        vector = -1;                                                                                           \
        error = 0;                                                                                             \
        __asm__ volatile("movl $1f, resume_eip; mov %%esp, resume_esp; " instruction "; 1:" __VA_ARGS__);      \
    } while (0)

static void said(const char *what)
{
    print(what);
    if (vector < 0) {
        print("fine\n");
        return;
    }
    print(vector == 11 ? "#NP" : vector == 12 ? "#SS" : "#GP");
    print_value(", error code ", error);
}

static void use_own_tables(void)
{
    gdt[KERNEL_CODE / 8] = segment(0, 0xfffff, PRESENT | CODE, PAGES | BITS_32);
    gdt[KERNEL_DATA / 8] = segment(0, 0xfffff, PRESENT | DATA, PAGES | BITS_32);
    gdt[SMALL / 8] = segment((uint32_t)bytes, 15, PRESENT | DATA, BITS_32);
    gdt[READ_ONLY / 8] = segment((uint32_t)bytes, 15, PRESENT | DATA_READ_ONLY, BITS_32);
    gdt[ABSENT / 8] = segment((uint32_t)bytes, 15, DATA, BITS_32);
    load_gdt(gdt, sizeof(gdt));
    // CS changes by a far jump alone; the others by MOV.
    __asm__ volatile("ljmp %0, $1f; 1:" : : "i"(KERNEL_CODE));
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss; mov %0, %%gs" : : "r"(KERNEL_DATA));
    idt[11] = gate(handler_11, KERNEL_CODE, PRESENT | INTERRUPT_GATE);
    idt[12] = gate(handler_12, KERNEL_CODE, PRESENT | INTERRUPT_GATE);
    idt[13] = gate(handler_13, KERNEL_CODE, PRESENT | INTERRUPT_GATE);
    load_idt(idt, sizeof(idt));
}

void _start(void)
{
    uint8_t byte = 0;
    use_own_tables();
    print("A segment of 16 bytes, in FS:\n");
    TRY("mov %0, %%fs", : : "r"(SMALL) : "memory");
    said("  load it:                  ");
    TRY("movb %%fs:0, %0", : "=q"(byte) : : "memory");
    said("  read its byte 0:          ");
    print_value("    and that byte is ", byte);
    TRY("movb %%fs:15, %0", : "=q"(byte) : : "memory");
    said("  read its byte 15:         ");
    TRY("movb %%fs:16, %0", : "=q"(byte) : : "memory");
    said("  read its byte 16:         ");
    TRY("movl %%fs:13, %0", : "=r"((uint32_t){0}) : : "memory");
    said("  read bytes 13 to 16:      ");
    TRY("movb $'S', %%fs:0", : : : "memory");
    said("  write its byte 0:         ");
    print("The same bytes, read-only:\n");
    TRY("mov %0, %%fs", : : "r"(READ_ONLY) : "memory");
    said("  load it:                  ");
    TRY("movb $'x', %%fs:0", : : : "memory");
    said("  write its byte 0:         ");
    print("Selectors that name nothing good:\n");
    TRY("mov %0, %%fs", : : "r"(ABSENT) : "memory");
    said("  a segment not present:    ");
    TRY("mov %0, %%fs", : : "r"(sizeof(gdt)) : "memory");
    said("  one behind the GDT:       ");
    TRY("mov %0, %%ss", : : "r"(KERNEL_CODE) : "memory");
    said("  code as a stack:          ");
    TRY("mov %0, %%fs", : : "r"(0) : "memory");
    said("  the null selector:        ");
    TRY("movb %%fs:0, %0", : "=q"(byte) : : "memory");
    said("  and reading through it:   ");
    halt(bytes[0]);
}
