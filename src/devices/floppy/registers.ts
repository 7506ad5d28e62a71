/**
 * The registers and commands of Intel's 82078 (290474).
 *
 * @module
 */

export const BASE = 0x3f0;
export const IRQ = 6;
export const DMA_CHANNEL = 2;
export const DRIVES = 2;
/** 2.88 MB drives have more tracks than they need; no head goes further. */
export const LAST_TRACK = 85;

/** Digital output register. */
export const Dor = { drive: 3, notReset: 4, gate: 8 } as const;
/** Main status register. */
export const Msr = { request: 0x80, toHost: 0x40, execution: 0x20, busy: 0x10 } as const;
export const St0 = { abnormal: 0x40, invalid: 0x80, changed: 0xc0, seekEnd: 0x20, equipment: 0x10 } as const;
export const St1 = {
  missingMark: 0x01,
  notWritable: 0x02,
  noData: 0x04,
  dataError: 0x20,
  endOfTrack: 0x80,
} as const;
export const WRONG_CYLINDER = 0x10;
export const VERSION = 0x90;
/** CONFIGURE: implied seeks. */
export const IMPLIED_SEEK = 0x40;

/** Bytes that follow each command, by its low five bits. */
export const parameters: Readonly<Record<number, number>> = {
  2: 8,
  3: 2,
  4: 1,
  5: 8,
  6: 8,
  7: 1,
  9: 8,
  10: 1,
  12: 8,
  13: 5,
  15: 2,
  18: 1,
  19: 3,
  22: 8,
};

/** READ TRACK, READ DATA, READ DELETED DATA, VERIFY. */
export const isRead = (command: number): boolean => [2, 6, 12, 22].includes(command & 31);
/** WRITE DATA, WRITE DELETED DATA. */
export const isWrite = (command: number): boolean => [5, 9].includes(command & 31);
/** VERIFY: a read without memory. */
export const isVerify = (command: number): boolean => (command & 31) === 22;
