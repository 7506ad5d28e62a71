/** What a BIOS does before it starts a system: chips, vectors, the data areas, the screen. */
import { Data, EXTENDED_SEGMENT, Extended, KIB } from './data-area.js';
import { linear } from './guest.js';
import type { Pc } from './pc.js';
import { readCmos, writeCmos } from './services/clock.js';
import { modes } from './services/video/modes.js';
import { noteMode, setMode } from './services/video/set-mode.js';
import { vectorTable } from './vectors.js';

/** Where the CPU stops at an interrupt without a handler: see `UNSERVED` of room x86, with which rom/bios.S agrees. */
export const STOP = { segment: 0xf000, offset: 0xd000 } as const;

const AREA_SIZE = 0x100;
const CONVENTIONAL = 640 * KIB;
const TICKS_A_DAY = 0x1800b0;
/** Ticks of the timer in a second, as the BIOS of an AT counts them: 1,193,180 / 65,536. */
const TICKS_A_SECOND = 1_193_180 / 65_536;

/**
 * Interrupt controllers and timer, as the ROM's own start sets them: vectors 08h and 70h; timer, keyboard, floppy, mouse, FPU and disks
 * may interrupt; 18.2 Hz.
 */
export function startChips({ bus }: Pc): void {
  const out = (port: number, ...bytes: number[]) => {
    for (const byte of bytes) bus.out(port, 1, byte);
  };
  out(0x20, 0x11);
  out(0x21, 0x08, 0x04, 0x01, 0xb8);
  out(0xa0, 0x11);
  out(0xa1, 0x70, 0x02, 0x01, 0x8f);
  out(0x43, 0x36);
  out(0x40, 0, 0);
}

/**
 * The rest: memory below 500h, the extended data area, CMOS.
 * @param fresh the screen is still in its initial state, text mode 3, and needs no set-up
 */
export function powerUp(pc: Pc, fresh: boolean): void {
  const { guest } = pc;
  guest.write(0, vectorTable(STOP));
  const warm = guest.read16(Data.warmStart);
  guest.write(0x400, new Uint8Array(AREA_SIZE));
  guest.write16(Data.warmStart, warm);
  const extended = pc.ram >= CONVENTIONAL;
  guest.write16(
    Data.memoryKib,
    Math.floor(Math.min(pc.ram, extended ? EXTENDED_SEGMENT * 16 : CONVENTIONAL) / KIB),
  );
  if (extended) {
    guest.write16(Data.extendedSegment, EXTENDED_SEGMENT);
    guest.write(linear(EXTENDED_SEGMENT, 0), new Uint8Array(KIB));
    guest.write8(linear(EXTENDED_SEGMENT, Extended.size), 1);
  }
  ports(pc);
  disks(pc, extended);
  guest.write16(Data.keyHead, 0x1e);
  guest.write16(Data.keyTail, 0x1e);
  guest.write16(Data.keyBufferStart, 0x1e);
  guest.write16(Data.keyBufferEnd, 0x3e);
  guest.write8(Data.keyboardState, 0x10);
  guest.write32(Data.parallelTimeouts, 0x1414_1414);
  guest.write32(Data.serialTimeouts, 0x0101_0101);
  startTicks(pc);
  if (fresh) noteMode(pc, modes[3]!, true);
  else setMode(pc, 3, true);
}

/** Serial and parallel ports that answer, and the equipment word. */
function ports({ guest, bus, drives }: Pc): void {
  let serial = 0;
  for (const port of [0x3f8, 0x2f8, 0x3e8, 0x2e8]) {
    const interrupts = bus.in(port + 1, 1);
    const identification = bus.in(port + 2, 1);
    if ((interrupts & 0xf0) !== 0 || (identification & 0x30) !== 0) continue;
    guest.write16(Data.serialPorts + 2 * serial++, port);
  }
  let parallel = 0;
  for (const port of [0x378, 0x278]) {
    bus.out(port, 1, 0xaa);
    if (bus.in(port, 1) !== 0xaa) continue;
    guest.write16(Data.parallelPorts + 2 * parallel++, port);
  }
  const floppies = drives.of('floppy').length;
  const floppyBits = floppies === 0 ? 0 : 1 | ((floppies - 1) << 6);
  // An FPU, a mouse port, 80 columns in colour.
  guest.write16(Data.equipment, (parallel << 14) | (serial << 9) | 0x20 | 0x04 | 0x02 | floppyBits);
}

function disks({ guest, drives, ...pc }: Pc, extended: boolean): void {
  const hard = drives.of('disk');
  guest.write8(Data.disks, hard.length);
  writeDriveTypes({ guest, drives, ...pc });
  if (!extended) return;
  for (const [i, { geometry }] of hard.slice(0, 2).entries()) {
    const at = linear(EXTENDED_SEGMENT, Extended.diskTables + 16 * i);
    guest.write16(at, geometry.cylinders);
    guest.write8(at + 2, geometry.heads);
    guest.write16(at + 5, 0xffff);
    guest.write8(at + 8, geometry.heads > 8 ? 0xc8 : 0xc0);
    guest.write16(at + 12, geometry.cylinders);
    guest.write8(at + 14, geometry.sectors);
    const vector = i === 0 ? 0x41 : 0x46;
    guest.write16(vector * 4, Extended.diskTables + 16 * i);
    guest.write16(vector * 4 + 2, EXTENDED_SEGMENT);
  }
}

/** CMOS lists the floppy drives and hard disks (RBIL, CMOS.LST registers 10h, 12h, 14h). */
function writeDriveTypes(pc: Pc): void {
  const [first, second] = pc.drives.of('floppy');
  const hard = pc.drives.of('disk').length;
  writeCmos(pc, 0x10, ((first?.floppyType ?? 0) << 4) | (second?.floppyType ?? 0));
  writeCmos(pc, 0x12, (hard > 0 ? 0xf0 : 0) | (hard > 1 ? 0x0f : 0));
  writeCmos(pc, 0x14, pc.guest.read8(Data.equipment));
  let sum = 0;
  for (let i = 0x10; i < 0x2e; i++) sum += readCmos(pc, i);
  writeCmos(pc, 0x2e, sum >> 8);
  writeCmos(pc, 0x2f, sum & 0xff);
}

/** The tick counter begins with the time of day. */
function startTicks(pc: Pc): void {
  const number = (index: number) => {
    const value = readCmos(pc, index);
    return (value >> 4) * 10 + (value & 0x0f);
  };
  const seconds = (number(4) * 60 + number(2)) * 60 + number(0);
  pc.guest.write32(Data.ticks, Math.min(Math.round(seconds * TICKS_A_SECOND), TICKS_A_DAY - 1));
}
