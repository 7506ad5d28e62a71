// The processor's local APIC (SDM 3A chapter 11): a page of registers, 16 bytes apart.
#ifndef APIC_H
#define APIC_H

#define APIC 0xfee00000
#define APIC_EOI 0xb0               // any write: the handler is done
#define APIC_SPURIOUS 0xf0          // bit 8 switches the APIC on
#define APIC_LVT_TIMER 0x320        // vector, bit 16 masked, bits 18-17 once or periodic
#define APIC_INITIAL_COUNT 0x380    // starts the timer
#define APIC_DIVIDE 0x3e0
#define APIC_ENABLED 0x100
#define APIC_PERIODIC 0x20000
#define APIC_DIVIDE_BY_1 0xb
#define APIC_HZ 1000000000          // the timer's input, as in QEMU and KVM

#ifdef __ASSEMBLER__
// Writes a constant to one of the registers.
.macro apic_set register, value
        movl    $(\value), APIC + \register
.endm
#endif

#endif
