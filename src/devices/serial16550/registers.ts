/**
 * The 16550A's registers and their bits, under the names of National Semiconductor's PC16550D data sheet, whose sections
 * and tables the numbers in the comments are.
 *
 * @module
 */

/** Register offsets (table II); the first three are two registers each. */
export const DATA = 0; // RBR, THR; divisor's low byte with DLAB
export const IER = 1; // divisor's high byte with DLAB
export const IIR_FCR = 2;
export const LCR = 3;
export const MCR = 4;
export const LSR = 5;
export const MSR = 6;
export const SCR = 7;

/** Interrupt enable register (8.7). */
export const IER_RECEIVED = 0x01;
export const IER_TRANSMITTER_EMPTY = 0x02;
export const IER_LINE_STATUS = 0x04;
export const IER_MODEM_STATUS = 0x08;

/** Interrupt identification register (8.6, table IV). */
export const IIR_NONE = 0x01;
export const IIR_LINE_STATUS = 0x06;
export const IIR_RECEIVED = 0x04;
export const IIR_TIMEOUT = 0x0c;
export const IIR_TRANSMITTER_EMPTY = 0x02;
export const IIR_MODEM_STATUS = 0x00;
export const IIR_FIFOS_ENABLED = 0xc0;

/** FIFO control register (8.5). */
export const FCR_ENABLE = 0x01;
export const FCR_RESET_RECEIVER = 0x02;
export const FCR_DMA_MODE = 0x08;
export const FCR_TRIGGER = 0xc0;
export const TRIGGER_LEVELS = [1, 4, 8, 14] as const;
export const FIFO_SIZE = 16;

/** Line control register (8.1): bit 7 turns registers 0 and 1 into the divisor. */
export const LCR_DLAB = 0x80;

/** Modem control register (8.8). */
export const MCR_DTR = 0x01;
export const MCR_RTS = 0x02;
export const MCR_OUT1 = 0x04;
export const MCR_OUT2 = 0x08;
export const MCR_LOOPBACK = 0x10;

/** Line status register (8.4). */
export const LSR_DATA_READY = 0x01;
export const LSR_OVERRUN = 0x02;
export const LSR_TRANSMITTER_EMPTY = 0x60; // THRE and TEMT

/** Modem status register (8.9): the lines in the high half, their changes in the low half. */
export const MSR_CTS = 0x10;
export const MSR_DSR = 0x20;
export const MSR_RI = 0x40;
export const MSR_DCD = 0x80;
export const MSR_DELTA = 0x0f;
export const MSR_TRAILING_EDGE_RI = 0x04;
/** The lines that a terminal at the other end keeps asserted. */
export const MSR_CONNECTED = MSR_CTS | MSR_DSR | MSR_DCD;
