// Lists the functions on the PCI bus: by configuration mechanism 1, two ports. It needs no driver, table or firmware.
#include "print.h"

#define PCI_ADDRESS 0xcf8               // which function, which register; bit 31 switches the data port on
#define PCI_DATA 0xcfc

#define PCI_ID 0x00                     // vendor and device
#define PCI_CLASS 0x08                  // revision, interface, subclass, class
#define PCI_HEADER 0x0c                 // bit 23: the slot has more functions
#define PCI_BAR 0x10                    // the first of six base addresses
#define PCI_INTERRUPT 0x3c

static uint32_t read(int slot, int function, int reg)
{
    outl(PCI_ADDRESS, 0x80000000u | (uint32_t)slot << 11 | (uint32_t)function << 8 | (uint32_t)reg);
    return inl(PCI_DATA);
}

static void write(int slot, int function, int reg, uint32_t value)
{
    outl(PCI_ADDRESS, 0x80000000u | (uint32_t)slot << 11 | (uint32_t)function << 8 | (uint32_t)reg);
    outl(PCI_DATA, value);
}

static void print_digits(uint32_t value, int digits)
{
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
        outb(PORT_DEBUG_CONSOLE, "0123456789abcdef"[value >> shift & 15]);
}

// After a write of all ones, a base address has ones where the function decodes the address: so a guest reads its size.
static void print_bar(int slot, int function, int reg)
{
    uint32_t before = read(slot, function, reg);
    if (before == 0) return;
    write(slot, function, reg, 0xffffffff);
    uint32_t sized = read(slot, function, reg);
    write(slot, function, reg, before);
    uint32_t is_io = before & 1;
    uint32_t mask = sized & (is_io ? 0xfffffffc : 0xfffffff0);
    if (is_io) mask |= 0xffff0000;
    print(is_io ? ", ports " : ", memory ");
    print_hex(before & (is_io ? 0xfffffffc : 0xfffffff0));
    print(" of ");
    print_hex(~mask + 1);
}

static void show(int slot, int function)
{
    uint32_t id = read(slot, function, PCI_ID);
    if ((id & 0xffff) == 0xffff) return;                        // no function answers: the bus floats
    uint32_t interrupt = read(slot, function, PCI_INTERRUPT);
    print("00:");
    print_digits((uint32_t)slot, 2);
    print(".");
    print_digits((uint32_t)function, 1);
    print("  ");
    print_digits(id & 0xffff, 4);
    print(":");
    print_digits(id >> 16, 4);
    print("  class ");
    print_digits(read(slot, function, PCI_CLASS) >> 16, 4);
    for (int bar = 0; bar < 6; bar++) print_bar(slot, function, PCI_BAR + 4 * bar);
    if ((interrupt >> 8 & 0xff) != 0) {
        print(", INT");
        outb(PORT_DEBUG_CONSOLE, (uint8_t)('A' + (interrupt >> 8 & 0xff) - 1));
        print(" on IRQ ");
        print_hex(interrupt & 0xff);
    }
    print("\n");
}

void _start(void)
{
    for (int slot = 0; slot < 32; slot++) {
        if ((read(slot, 0, PCI_ID) & 0xffff) == 0xffff) continue;
        int functions = read(slot, 0, PCI_HEADER) >> 23 & 1 ? 8 : 1;
        for (int function = 0; function < functions; function++) show(slot, function);
    }
    halt(0);
}
