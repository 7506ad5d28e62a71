/** INT 15h AH=53h: Advanced Power Management 1.2, only the part that powers the machine off. */

import type { Frame } from '../../frame.js';
import type { BiosFunction, Pc } from '../../pc.js';
import { labels, ROM_SEGMENT } from '../../rom/rom.js';
import { hex } from '../../words.js';

/** AH of errors (APM BIOS Interface Specification 1.2, appendix A). */
const Refusal = { unknownDevice: 0x09, badState: 0x60, unsupported: 0x0c } as const;

const names: Readonly<Record<number, string>> = {
  0: 'is there APM?',
  1: 'connect',
  2: 'connect in 16-bit protected mode',
  3: 'connect in 32-bit protected mode',
  4: 'disconnect',
  5: 'the processor is idle',
  6: 'the processor is busy',
  7: 'set a power state',
  8: 'power management on or off',
  10: 'how is the battery?',
  11: 'is there an event?',
  12: 'which power state?',
  13: 'power management of a device on or off',
  14: 'which version?',
  15: 'engage',
  16: 'what can it do?',
};

/** The segments of the interface for protected mode: see rom/bios.S. */
const CODE_LENGTH = 0xfff0;
const DATA_SEGMENT = 0x40;
const DATA_LENGTH = 0x100;

/** Power states of AL=07h and 0Ch. */
const OFF = 3;
const ENABLED = 0;
const ALL_DEVICES = 1;

function perform(frame: Frame, pc: Pc): number {
  const { al, bx, cx } = frame;
  switch (al) {
    case 0x00:
      frame.ax = 0x0102;
      frame.bx = 0x504d;
      // Both interfaces for protected mode.
      frame.cx = 3;
      return 0;
    case 0x01:
    case 0x04:
    case 0x06:
    case 0x08:
    case 0x0d:
    case 0x0f:
      return 0;
    case 0x02:
      frame.ax = ROM_SEGMENT;
      frame.bx = labels.apm16;
      frame.cx = DATA_SEGMENT;
      frame.si = CODE_LENGTH;
      frame.di = DATA_LENGTH;
      return 0;
    case 0x03:
      frame.ax = ROM_SEGMENT;
      frame.ebx = labels.apm32;
      frame.cx = ROM_SEGMENT;
      frame.dx = DATA_SEGMENT;
      // The lengths of the segments with 16 and with 32 bits.
      frame.esi = ((CODE_LENGTH << 16) | CODE_LENGTH) >>> 0;
      frame.di = DATA_LENGTH;
      return 0;
    case 0x05:
      // Until the next interrupt.
      if (frame.step === 0) frame.wait(1);
      return 0;
    case 0x07:
      if (bx !== ALL_DEVICES) return Refusal.unknownDevice;
      if (cx > OFF) return Refusal.badState;
      if (cx === OFF) pc.powerOff('APM, INT 15h AX=5307h');
      return 0;
    case 0x0a:
      // On line, no battery.
      frame.bx = 0x01ff;
      frame.cx = 0x80ff;
      frame.dx = 0xffff;
      return 0;
    case 0x0b:
      return 0x80;
    case 0x0c:
      if (bx !== ALL_DEVICES) return Refusal.unknownDevice;
      frame.cx = ENABLED;
      return 0;
    case 0x0e:
      frame.ax = 0x0102;
      return 0;
    case 0x10:
      // No battery, and nothing that wakes it up.
      frame.bx = frame.bx & 0xff00;
      frame.cx = 0;
      return 0;
    default:
      return Refusal.unsupported;
  }
}

export const apm: BiosFunction = {
  says: ({ al, cx }) =>
    `APM: ${al === 7 && cx === OFF ? 'switch off' : (names[al] ?? `function ${hex(al)}`)}`,
  gives: ({ carry, ah, waits }) => (waits ? 'not yet' : carry ? `refused (${hex(ah)})` : 'ok'),
  run(frame, pc) {
    const status = perform(frame, pc);
    frame.carry = status !== 0;
    if (status !== 0) frame.ah = status;
  },
};
