// Echoes the input of the serial port, driven only by its interrupt: the port is never polled.
// A 'q' ends it.

#include "interrupts.h"
#include "ports.h"

#define SERIAL_IER (PORT_SERIAL + 1)            // which events interrupt
#define SERIAL_FCR (PORT_SERIAL + 2)            // the FIFOs
#define SERIAL_IIR (PORT_SERIAL + 2)            // ... for reading: which event it was
#define SERIAL_MCR (PORT_SERIAL + 4)            // the modem lines

.macro serial register, value
        mov     $\register, %dx
        mov     $\value, %al
        out     %al, %dx
.endm

.code16
.globl _start
_start:
        cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7000, %sp
        movw    $received, (VECTOR_PIC + IRQ_SERIAL) * 4
        movw    %cs, (VECTOR_PIC + IRQ_SERIAL) * 4 + 2

        pic_init 1 << IRQ_SERIAL
        serial  SERIAL_FCR, 0x07                // FIFOs on and empty; an interrupt from the first character on
        serial  SERIAL_MCR, 0x0b                // DTR, RTS, and OUT2: the gate to the interrupt controller
        serial  SERIAL_IER, 0x01                // interrupt when a character has come

        xor     %bl, %bl
        sti
sleep:  hlt                                     // nothing happens here until a key is typed
        test    %bl, %bl
        jz      sleep
        cli
        hlt

// The controller reacts to edges: read all characters, until the port reports no further event.
received:
        push    %ax
        push    %dx
more:   mov     $SERIAL_IIR, %dx
        in      %dx, %al
        test    $0x01, %al                      // bit 0 set: no event
        jnz     ended
        mov     $PORT_SERIAL, %dx
        in      %dx, %al
        cmp     $'q', %al
        je      quit
        out     %al, %dx
        jmp     more
quit:   mov     $1, %bl
ended:  outp    PORT_PIC, PIC_EOI
        pop     %dx
        pop     %ax
        iret
