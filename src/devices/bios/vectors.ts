/** The interrupt vectors as a BIOS leaves them. Source: IBM PC/AT Technical Reference, BIOS listing; RBIL, interrupt list. */
import { labels, ROM_SEGMENT } from './rom/rom.js';

/** Entries at their places on an AT. */
const At = {
  nothing: 0xff53,
  nmi: 0xe2c3,
  printScreen: 0xff54,
  timer: 0xfea5,
  keyboard: 0xe987,
  floppyInterrupt: 0xef57,
  video: 0xf065,
  equipment: 0xf84d,
  memory: 0xf841,
  disk: 0xe3fe,
  serial: 0xe739,
  system: 0xf859,
  keys: 0xe82e,
  printer: 0xefd2,
  boot: 0xe6f2,
  clock: 0xfe6e,
  videoTable: 0xf0a4,
  floppyTable: 0xefc7,
  floppy: 0xec59,
} as const;

/** Calls of DOS: without DOS a caller gets no answer. */
const DOS = [0x20, 0x21, 0x25, 0x26, 0x27];
/** Exceptions that repeat endlessly unless a handler fixes their cause: divide error, invalid opcode, no FPU. */
const EXCEPTIONS = [0x00, 0x06, 0x07];
/** Programs check for 0, which means that there is no driver. */
const EMPTY = [0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67];
/** Programs check whether the handler is an IRET, which means that there is none. */
const SILENT = [0x01, 0x03, 0x04, 0x1b, 0x1c, 0x33, 0x4a];

const BYTES_OF_UNSERVED = 6;
const VECTORS = 256;

/** The 1,024 bytes at address 0. @param stop the address of the stops: a HLT for each vector */
export function vectorTable(stop: { segment: number; offset: number }): Uint8Array {
  const offsets = new Map<number, number>([
    [0x02, At.nmi],
    [0x05, At.printScreen],
    [0x08, At.timer],
    [0x09, At.keyboard],
    [0x0a, labels.irq2],
    [0x0b, labels.irq3],
    [0x0c, labels.irq4],
    [0x0d, labels.irq5],
    [0x0e, At.floppyInterrupt],
    [0x0f, labels.irq7],
    [0x10, At.video],
    [0x11, At.equipment],
    [0x12, At.memory],
    [0x13, At.disk],
    [0x14, At.serial],
    [0x15, At.system],
    [0x16, At.keys],
    [0x17, At.printer],
    [0x18, labels.start_nothing],
    [0x19, At.boot],
    [0x1a, At.clock],
    [0x1d, At.videoTable],
    [0x1e, At.floppyTable],
    [0x40, At.floppy],
    [0x42, At.video],
    [0x70, labels.irq8],
    [0x71, labels.irq9],
    [0x72, labels.irq_of_second],
    [0x73, labels.irq_of_second],
    [0x74, labels.irq12],
    [0x75, labels.irq13],
    [0x76, labels.irq14],
    [0x77, labels.irq_of_second],
  ]);
  for (const vector of SILENT) offsets.set(vector, At.nothing);
  const view = new DataView(new ArrayBuffer(VECTORS * 4));
  for (let vector = 0; vector < VECTORS; vector++) {
    const stops = DOS.includes(vector) || EXCEPTIONS.includes(vector);
    const unserved = labels.unserved + vector * BYTES_OF_UNSERVED;
    const offset = stops ? stop.offset + vector : (offsets.get(vector) ?? unserved);
    const isEmpty = EMPTY.includes(vector) || vector >= 0xf8;
    view.setUint16(vector * 4, isEmpty ? 0 : offset, true);
    view.setUint16(vector * 4 + 2, isEmpty ? 0 : stops ? stop.segment : ROM_SEGMENT, true);
  }
  return new Uint8Array(view.buffer);
}
