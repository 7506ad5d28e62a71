// A multiboot kernel: a loader finds its header, starts it in 32-bit protected mode, and passes a description of the machine.
// It prints this description, on the screen where there is one, and on the console. EAX at the end is the number of modules.
//
// Source: "Multiboot Specification version 0.6.96".
#include "io.h"

#define HEADER_MAGIC 0x1badb002
#define LOADER_MAGIC 0x2badb002
#define PAGE_ALIGN (1 << 0)  // modules lie on pages
#define MEMORY_INFO (1 << 1) // the loader fills in the memory's size
#define FLAGS (PAGE_ALIGN | MEMORY_INFO)

// The header lies at the start of the code, in the first 8 KiB of the file. Magic number, flags and checksum add up to 0.
#define STRING(x) #x
#define LONGS(...) STRING(__VA_ARGS__)
__asm__(".section .text.start, \"ax\"\n"
        ".balign 4\n"
        ".long " LONGS(HEADER_MAGIC) ", 3, -(" LONGS(HEADER_MAGIC) " + 3)\n"
        ".globl _start\n"
        "_start:\n" // EAX: the loader's magic number, EBX: its information; there is no stack yet
        "    mov $stack_end, %esp\n"
        "    push %ebx\n"
        "    push %eax\n"
        "    call kernel\n"
        ".section .bss\n"
        ".balign 16\n"
        ".skip 4096\n"
        "stack_end:\n"
        ".text");
_Static_assert(FLAGS == 3, "the header above says 3");

// The loader's information: the fields up to the frame buffer, some of them under names that this kernel does not use.
struct information
{
    uint32_t flags, memory_lower, memory_upper, boot_device, command_line, module_count, modules, symbols[4];
    uint32_t map_length, map, drives[2], configuration, loader_name, apm, vbe[4];
    uint64_t screen;
    uint32_t screen_pitch, screen_width, screen_height;
    uint8_t screen_bits, screen_type;
} __attribute__((packed));

enum { HAS_MEMORY = 1 << 0, HAS_COMMAND_LINE = 1 << 2, HAS_MODULES = 1 << 3, HAS_MAP = 1 << 6, HAS_NAME = 1 << 9, HAS_SCREEN = 1 << 12 };
enum { RAM = 1, SCREEN_TEXT = 2 };

struct module
{
    uint32_t start, end, text, reserved;
};

struct map_entry
{
    uint32_t size; // of what follows
    uint64_t address, length;
    uint32_t type;
} __attribute__((packed));

// ---------------------------------------------------------------------------------------------- printing

static volatile uint16_t *screen; // cells of character and colours; 0 where there is no screen of text
static unsigned columns, rows, column, row;

static void put(char character)
{
    outb(PORT_DEBUG_CONSOLE, character);
    if (!screen) return;
    if (character != '\n') screen[row * columns + column++] = 0x1e00 | (uint8_t)character;
    if (character != '\n' && column < columns) return;
    column = 0;
    if (++row == rows) row = 0;
}

static void print(const char *text)
{
    while (*text) put(*text++);
}

static void print_number(uint32_t number)
{
    if (number >= 10) print_number(number / 10);
    put('0' + number % 10);
}

static void print_hex(uint32_t number)
{
    for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[number >> shift & 15]);
}

// ---------------------------------------------------------------------------------------------- the kernel

static void print_map(const struct information *told)
{
    for (uint32_t at = told->map; at < told->map + told->map_length;)
    {
        const struct map_entry *entry = (const struct map_entry *)at;
        print("  ");
        print_hex(entry->address);
        print(" + ");
        print_hex(entry->length);
        print(entry->type == RAM ? "  RAM\n" : "  reserved\n");
        at += entry->size + sizeof(entry->size);
    }
}

static void print_modules(const struct information *told)
{
    const struct module *modules = (const struct module *)told->modules;
    for (uint32_t n = 0; n < told->module_count; n++)
    {
        print("  ");
        print_hex(modules[n].start);
        print(", ");
        print_number(modules[n].end - modules[n].start);
        print(" bytes: ");
        print((const char *)modules[n].text);
        put('\n');
    }
}

__attribute__((used)) static void kernel(uint32_t magic, const struct information *told)
{
    if (magic != LOADER_MAGIC)
    {
        print("no multiboot loader started this\n");
        halt(magic);
    }
    if (told->flags & HAS_SCREEN && told->screen_type == SCREEN_TEXT)
    {
        screen = (volatile uint16_t *)(uint32_t)told->screen;
        columns = told->screen_width;
        rows = told->screen_height;
    }
    print("Started by ");
    print(told->flags & HAS_NAME ? (const char *)told->loader_name : "a loader without a name");
    print("\ncommand line: ");
    if (told->flags & HAS_COMMAND_LINE) print((const char *)told->command_line);
    if (told->flags & HAS_MEMORY)
    {
        print("\nmemory: ");
        print_number(told->memory_lower);
        print(" KiB, ");
        print_number(told->memory_upper);
        print(" KiB above 1 MiB\n");
    }
    if (told->flags & HAS_MAP) print_map(told);
    uint32_t modules = told->flags & HAS_MODULES ? told->module_count : 0;
    print("modules: ");
    print_number(modules);
    put('\n');
    if (modules > 0) print_modules(told);
    if (screen)
    {
        print("screen: text of ");
        print_number(columns);
        print(" x ");
        print_number(rows);
        print(" at ");
        print_hex(told->screen);
        put('\n');
    }
    halt(modules);
}
