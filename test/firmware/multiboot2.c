// A multiboot 2 kernel that prints what its loader tells it, tag by tag, on the debug console. Source: "Multiboot2 Specification 2.0".
#include "io.h"


__asm__(".section .text.start, \"ax\"\n"
        ".balign 8\n"
        "header: .long 0xe85250d6, 0, 16 + 8, -(0xe85250d6 + 16 + 8)\n"
        ".word 0, 0\n .long 8\n" // the end
        ".globl _start\n"
        "_start: mov $stack_end, %esp\n"
        "    push %ebx\n"
        "    push %eax\n"
        "    call kernel\n"
        ".section .bss\n"
        ".balign 16\n"
        ".skip 4096\n"
        "stack_end:\n"
        ".text");

enum { END, COMMAND_LINE, LOADER, MODULE, MEMORY, BOOT_DEVICE, MAP, VBE, SCREEN, SECTIONS, APM, ACPI_OLD = 14, LOAD_BASE = 21 };

struct tag
{
    uint32_t type, size;
    union {
        char text[1];
        uint32_t longs[2];
        struct { uint32_t start, end; char text[1]; } module;
    };
};

static void print(const char *text)
{
    while (*text) outb(PORT_DEBUG_CONSOLE, *text++);
}

static void print_number(uint32_t number)
{
    if (number >= 10) print_number(number / 10);
    outb(PORT_DEBUG_CONSOLE, '0' + number % 10);
}

static void say(const char *name, const char *text)
{
    print(name);
    print(text);
    print("\n");
}

__attribute__((used)) static void kernel(uint32_t magic, const char *told)
{
    if (magic != 0x36d76289) say("no multiboot 2 loader", "");
    else
    {
        uint32_t total = *(const uint32_t *)told;
        for (uint32_t at = 8; at < total;)
        {
            const struct tag *tag = (const struct tag *)(told + at);
            if (tag->type == END) break;
            if (tag->type == COMMAND_LINE) say("command line: ", tag->text);
            if (tag->type == LOADER) say("loader: ", tag->text);
            if (tag->type == MEMORY)
            {
                print("low memory: ");
                print_number(tag->longs[0]);
                print(" KiB\n");
            }
            if (tag->type == MAP) say("a map", "");
            if (tag->type == SECTIONS) say("sections", "");
            if (tag->type == ACPI_OLD) say("RSDP: ", tag->longs[0] == 0x20445352 ? "found" : "damaged");
            if (tag->type == MODULE)
            {
                print("module of ");
                print_number(tag->module.end - tag->module.start);
                say(" bytes: ", tag->module.text);
            }
            at += (tag->size + 7) & ~7u;
        }
    }
    say("end", "");
    halt(magic);
}
