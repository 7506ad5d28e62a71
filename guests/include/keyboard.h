// A PC's keyboard controller and the scan codes of set 1, for assembler and C alike.
#ifndef KEYBOARD_H
#define KEYBOARD_H

#define IRQ_KEYBOARD 1

#define PORT_KEYBOARD_DATA 0x60
#define PORT_KEYBOARD_STATUS 0x64    // read
#define KEYBOARD_OUTPUT_FULL 0x01    // ... a byte is waiting at the data port
#define PORT_KEYBOARD_COMMAND 0x64   // written
#define KEYBOARD_RESET 0xfe          // ... pulls the processor's reset line

#define SCAN_UP 0x80                 // set in a scan code where the key goes up
#define SCAN_ESCAPE 0x01
#define SCAN_ENTER 0x1c
#define SCAN_SHIFT_LEFT 0x2a
#define SCAN_SHIFT_RIGHT 0x36
#define SCAN_SPACE 0x39
#define SCAN_EXTENDED 0xe0           // comes before the codes of the arrow keys and others
#define SCAN_ARROW_UP 0x48
#define SCAN_ARROW_LEFT 0x4b
#define SCAN_ARROW_RIGHT 0x4d
#define SCAN_ARROW_DOWN 0x50

#endif
