/** INT 1Ah AH=B1h: PCI by configuration mechanism 1 (PCI BIOS Specification 2.1). */
import type { Frame } from '../frame.js';
import type { BiosFunction, Pc } from '../pc.js';
import { hex } from '../words.js';

const ADDRESS = 0xcf8;
const DATA = 0xcfc;
const ENABLE = 0x8000_0000;

const Status = { ok: 0, unsupported: 0x81, badVendor: 0x83, notFound: 0x86, badRegister: 0x87 } as const;

function address(device: number, register: number): number {
  return (ENABLE | (device << 8) | (register & 0xfc)) >>> 0;
}

function read({ bus }: Pc, device: number, register: number, size: 1 | 2 | 4): number {
  bus.out(ADDRESS, 4, address(device, register));
  return bus.in(DATA + (register & 3), size);
}

function write({ bus }: Pc, device: number, register: number, size: 1 | 2 | 4, value: number): void {
  bus.out(ADDRESS, 4, address(device, register));
  bus.out(DATA + (register & 3), size, value);
}

/** The ports answer, and a host bridge is there. */
function isThere(pc: Pc): boolean {
  pc.bus.out(ADDRESS, 4, ENABLE);
  return pc.bus.in(ADDRESS, 4) === ENABLE && (read(pc, 0, 0, 2) & 0xffff) !== 0xffff;
}

/** The `index`-th function of bus 0 that matches; -1 where there is none. */
function find(pc: Pc, index: number, matches: (device: number) => boolean): number {
  let left = index;
  for (let slot = 0; slot < 32; slot++)
    for (let fn = 0; fn < 8; fn++) {
      const device = (slot << 3) | fn;
      if ((read(pc, device, 0, 2) & 0xffff) === 0xffff) {
        // Without a function 0 there are no others.
        if (fn === 0) break;
        continue;
      }
      if (matches(device) && left-- === 0) return device;
      if (fn === 0 && !(read(pc, device, 0x0e, 1) & 0x80)) break;
    }
  return -1;
}

function found(frame: Frame, device: number): number {
  if (device < 0) return Status.notFound;
  frame.bx = device;
  return Status.ok;
}

/** Configuration space, by AL: 08h to 0Ah read a byte, word or double word, 0Bh to 0Dh write one. */
function configuration(frame: Frame, pc: Pc): number {
  const { al, bx, di } = frame;
  const size = ([1, 2, 4] as const)[(al - 8) % 3]!;
  if (di > 0xff || di % size !== 0) return Status.badRegister;
  if (al >= 0x0b) write(pc, bx, di, size, size === 4 ? frame.ecx : size === 2 ? frame.cx : frame.cl);
  else if (size === 4) frame.ecx = read(pc, bx, di, 4);
  else if (size === 2) frame.cx = read(pc, bx, di, 2);
  else frame.cl = read(pc, bx, di, 1);
  return Status.ok;
}

function perform(frame: Frame, pc: Pc): number {
  const { al } = frame;
  if (al >= 8 && al <= 0x0d) return configuration(frame, pc);
  switch (al) {
    case 1:
      frame.edx = 0x2049_4350;
      frame.edi = 0;
      frame.bx = 0x0210;
      frame.cl = 0;
      frame.al = 1;
      return Status.ok;
    case 2: {
      const { cx, dx, si } = frame;
      if (dx === 0xffff) return Status.badVendor;
      return found(
        frame,
        find(pc, si, (device) => read(pc, device, 0, 4) === ((cx << 16) | dx) >>> 0),
      );
    }
    case 3: {
      const { ecx, si } = frame;
      return found(
        frame,
        find(pc, si, (device) => read(pc, device, 8, 4) >>> 8 === (ecx & 0xff_ffff)),
      );
    }
    default:
      return Status.unsupported;
  }
}

export const pciFunction: BiosFunction = {
  says: ({ al, bx, di }) =>
    al === 1
      ? 'is there a PCI bus?'
      : al === 2 || al === 3
        ? 'find a PCI device'
        : `PCI ${al >= 0x0b ? 'write' : 'read'}, device ${bx >> 3}.${bx & 7}, register ${hex(di)}`,
  gives: ({ carry, ah }) => (carry ? `no (${hex(ah)})` : 'ok'),
  run(frame, pc) {
    const status = isThere(pc) ? perform(frame, pc) : Status.unsupported;
    frame.ah = status;
    frame.carry = status !== Status.ok;
  },
};
