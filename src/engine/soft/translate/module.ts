/**
 * A WebAssembly module of translated functions.
 *
 * @module
 */
import { Bytes } from './bytes.js';
import { Imported } from './program.js';
import { Section } from './reader.js';

/** Function types: a handler, and those that are imported. */
const HANDLER = 0;
const ENTER = 1;
const REFILL = 2;
const CALL = 3;
const LEAVE = 4;
const i32 = 0x7f;
const i64 = 0x7e;
const types: readonly { takes: readonly number[]; gives: readonly [number] }[] = [
  { takes: [i32], gives: [i32] },
  { takes: [i64, i32], gives: [i32] },
  { takes: [i64, i64, i32], gives: [i32] },
  { takes: [i64, i32, i32, i32], gives: [i32] },
  { takes: [i32, i32, i64], gives: [i32] },
];

/** The functions of the program that translated code calls, in the order of `Imported`. */
const imported = [
  ['goOn', ENTER],
  ['perform', HANDLER],
  ['refill', REFILL],
  ['callThrough', CALL],
  ['leaveAt', LEAVE],
] as const;

/** In pages of 64 KiB: the memory has at least the engine area, and at most 4 GiB. */
const LEAST_PAGES = 512;
const MOST_PAGES = 65536;

/** The module's bytes; its functions are exported by number. */
export function moduleOf(bodies: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Bytes();
  out.append(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  section(out, Section.type, types.length, (part) => {
    for (const { takes, gives } of types)
      part.append(Uint8Array.of(0x60, takes.length, ...takes, gives.length, ...gives));
  });
  section(out, Section.import, imported.length + 1, (part) => {
    for (const [name, type] of imported) {
      part.name('soft');
      part.name(name);
      part.byte(0);
      part.u32(type);
    }
    part.name('soft');
    part.name('memory');
    part.byte(2);
    part.byte(3); // shared, with a maximum
    part.u32(LEAST_PAGES);
    part.u32(MOST_PAGES);
  });
  section(out, Section.function, bodies.length, (part) => {
    for (const _ of bodies) part.u32(HANDLER);
  });
  section(out, Section.export, bodies.length, (part) => {
    for (const index of bodies.keys()) {
      part.name(String(index));
      part.byte(0);
      part.u32(Imported.count + index);
    }
  });
  section(out, Section.code, bodies.length, (part) => {
    for (const body of bodies) part.vector(body);
  });
  return out.view().slice();
}

function section(out: Bytes, id: number, count: number, fill: (part: Bytes) => void): void {
  const part = new Bytes();
  part.u32(count);
  fill(part);
  out.byte(id);
  out.vector(part.view());
}
