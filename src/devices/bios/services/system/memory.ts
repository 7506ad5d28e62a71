/** INT 15h AH=87h to 89h, E8xxh: memory above the first megabyte, and access to it. */

import type { Frame } from '../../frame.js';
import { linear } from '../../guest.js';
import type { BiosFunction, Pc } from '../../pc.js';
import { hex } from '../../words.js';
import { accept, outcome, refuse } from './answers.js';

const KIB = 1024;
const MIB = KIB * KIB;
/** `SMAP`, as numbers. */
const SMAP = 0x534d_4150;
const ENTRY_SIZE = 20;
const WithAttributes = 24;

const map: BiosFunction = {
  says: ({ ebx }) => `memory map, entry ${ebx}`,
  gives: (frame, pc) => {
    if (frame.carry) return 'refused';
    const at = linear(frame.es, frame.di);
    const [address, size] = [pc.guest.read32(at), pc.guest.read32(at + 8)];
    const kind = pc.guest.read32(at + 16) === 1 ? 'RAM' : 'reserved';
    return `${kind} of ${size} bytes at 0x${address.toString(16)}`;
  },
  run(frame, pc) {
    const entries = pc.map;
    const entry = entries[frame.ebx];
    const room = frame.ecx;
    if (frame.edx !== SMAP || room < ENTRY_SIZE || entry === undefined) {
      refuse(frame);
      return;
    }
    const at = linear(frame.es, frame.di);
    const { guest } = pc;
    for (const [i, value] of [entry.address, entry.size].entries()) {
      guest.write32(at + i * 8, value % 2 ** 32);
      guest.write32(at + i * 8 + 4, Math.floor(value / 2 ** 32));
    }
    guest.write32(at + 16, entry.type);
    if (room >= WithAttributes) guest.write32(at + 20, 1);
    frame.eax = SMAP;
    frame.ecx = room >= WithAttributes ? WithAttributes : ENTRY_SIZE;
    frame.ebx = frame.ebx + 1 < entries.length ? frame.ebx + 1 : 0;
    frame.carry = false;
  },
};

/** KiB from 1 to 16 MiB, and blocks of 64 KiB above. */
function sizes({ ram }: Pc): { low: number; high: number } {
  return {
    low: Math.min(Math.max(0, ram - MIB) / KIB, 15 * KIB),
    high: Math.min(Math.max(0, ram - 16 * MIB) / (64 * KIB), 0xffff),
  };
}

const extendedSize: BiosFunction = {
  says: 'how much memory above 1 MiB?',
  gives: ({ ax }) => `${ax} KiB`,
  run(frame, { ram }) {
    frame.carry = false;
    frame.ax = Math.min(Math.max(0, ram - MIB) / KIB, 0xfc00);
  },
};

function e8(frame: Frame, pc: Pc): void {
  const { low, high } = sizes(pc);
  const { al } = frame;
  if (al === 0x01) {
    accept(frame);
    frame.ax = low;
    frame.bx = high;
    frame.cx = low;
    frame.dx = high;
  } else if (al === 0x81) {
    accept(frame);
    frame.eax = low;
    frame.ebx = high;
    frame.ecx = low;
    frame.edx = high;
  } else refuse(frame);
}

/** The most that one call moves: 8,000h words. */
const MAX_WORDS = 0x8000;

/** A descriptor's base and limit. */
function descriptor({ guest }: Pc, at: number): { base: number; limit: number } {
  const base = guest.read16(at + 2) | (guest.read8(at + 4) << 16) | (guest.read8(at + 7) << 24);
  const limit = guest.read16(at) | ((guest.read8(at + 6) & 0x0f) << 16);
  return { base: base >>> 0, limit: guest.read8(at + 6) & 0x80 ? limit * 4096 + 4095 : limit };
}

const copy: BiosFunction = {
  says: (frame, pc) => {
    const table = linear(frame.es, frame.si);
    const [from, to] = [descriptor(pc, table + 0x10), descriptor(pc, table + 0x18)];
    return `copy ${frame.cx * 2} bytes, 0x${from.base.toString(16)} → 0x${to.base.toString(16)}`;
  },
  gives: outcome,
  run(frame, pc) {
    const table = linear(frame.es, frame.si);
    const [from, to] = [descriptor(pc, table + 0x10), descriptor(pc, table + 0x18)];
    const bytes = frame.cx * 2;
    if (frame.cx > MAX_WORDS || bytes > from.limit + 1 || bytes > to.limit + 1) {
      refuse(frame, 2);
      frame.zero = false;
      return;
    }
    // All is read first: the two may overlap, and a forward copy would then copy wrong bytes.
    pc.guest.write(to.base, pc.guest.read(from.base, bytes));
    accept(frame);
    frame.zero = true;
  },
};

const protectedMode: BiosFunction = {
  says: 'switch to protected mode',
  gives: outcome,
  // Not supported: it would need the processor's registers, and programs switch modes themselves.
  run: (frame) => refuse(frame),
};

export const memoryFunctions: Record<number, BiosFunction> = {
  135: copy,
  136: extendedSize,
  137: protectedMode,
  232: {
    says: (frame, pc) =>
      frame.al === 0x20
        ? (map.says as (frame: Frame, pc: Pc) => string)(frame, pc)
        : frame.al === 0x01 || frame.al === 0x81
          ? 'how much memory below and above 16 MiB?'
          : `memory, function ${hex(frame.al)}`,
    gives: (frame, pc) => (frame.eax === SMAP ? map.gives!(frame, pc) : outcome(frame)),
    run(frame, pc) {
      if (frame.al === 0x20) map.run(frame, pc);
      else e8(frame, pc);
    },
  },
};
