// A PC's interrupt controllers and timer, for assembler and C alike.
#ifndef INTERRUPTS_H
#define INTERRUPTS_H

// Two 8259A interrupt controllers. The second one's output is line 2 of the first.
#define PORT_PIC 0x20               // the first one's command port
#define PORT_PIC_DATA 0x21          // ... its data port: the mask, once it is initialized
#define PORT_PIC2 0xa0
#define PORT_PIC2_DATA 0xa1

#define PIC_ICW1 0x11               // begin initialization: edges, two controllers, four words
#define PIC_ICW3 0x04               // the first: the second is on line 2
#define PIC2_ICW3 0x02              // the second: it is on line 2
#define PIC_ICW4 0x01               // an 8086, not an 8080, and no automatic end of interrupt
#define PIC_EOI 0x20                // end of interrupt: the line may interrupt again

#define IRQ_TIMER 0
#define IRQ_SERIAL 4

// The vectors of the sixteen lines in these guests: after the 32 vectors of the processor's own exceptions (SDM 3A 7.2).
#define VECTOR_PIC 0x20
#define VECTOR_PIC2 0x28
#define VECTOR_NMI 2

// An 8254 timer. Counter 0 is on interrupt line 0.
#define PORT_PIT_COUNTER0 0x40
#define PORT_PIT_CONTROL 0x43
#define PIT_RATE 0x34               // counter 0, low byte then high byte, mode 2: a pulse every `count` clocks
#define PIT_HZ 1193182              // clocks a second

// One byte out sends the processor an NMI.
#define PORT_DEBUG_NMI 0xf5

#ifdef __ASSEMBLER__
// Writes a constant to a port below 0x100; changes AL.
.macro outp port, value
        mov     $\value, %al
        out     %al, $\port
.endm

// Initializes both controllers, unmasks only the lines that have a bit in `lines`, and none of the second's.
.macro pic_init lines
        outp    PORT_PIC, PIC_ICW1
        outp    PORT_PIC_DATA, VECTOR_PIC
        outp    PORT_PIC_DATA, PIC_ICW3
        outp    PORT_PIC_DATA, PIC_ICW4
        outp    PORT_PIC2, PIC_ICW1
        outp    PORT_PIC2_DATA, VECTOR_PIC2
        outp    PORT_PIC2_DATA, PIC2_ICW3
        outp    PORT_PIC2_DATA, PIC_ICW4
        outp    PORT_PIC_DATA, (0xff & ~(\lines))
        outp    PORT_PIC2_DATA, 0xff
.endm

// Makes the timer tick `hz` times a second.
.macro pit_init hz
        outp    PORT_PIT_CONTROL, PIT_RATE
        outp    PORT_PIT_COUNTER0, (PIT_HZ / \hz) & 0xff
        outp    PORT_PIT_COUNTER0, (PIT_HZ / \hz) >> 8
.endm
#endif

#endif
