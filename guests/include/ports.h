// The I/O ports that Terrarium's devices answer, for assembler and C alike.
#ifndef PORTS_H
#define PORTS_H

#define PORT_SERIAL 0x3f8        // A 16550 UART, the PC's COM1: the data register
#define PORT_SERIAL_STATUS 0x3fd // ... its line status register
#define SERIAL_DATA_READY 0x01   // ... a byte has come in
#define SERIAL_CAN_SEND 0x20     // ... the next byte may go out

#define PORT_DEBUG_CONSOLE 0xe9 // One byte out is one character on the console
#define PORT_DEBUG_EXIT 0xf4    // One byte out ends the machine: its exit code

#endif
