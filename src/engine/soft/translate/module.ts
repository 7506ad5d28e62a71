/**
 * A WebAssembly module of translated functions.
 *
 * @module
 */
import { Bytes } from './bytes.js';
import { Imported } from './function.js';
import { Section } from './reader.js';

/** Function types: a handler, and `enter`. */
const HANDLER = 0;
const ENTER = 1;
const types = [0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7e, 0x7f, 1, 0x7f];

/** Pages of 64 KiB: no memory is smaller than the engine area, or larger than 4 GiB. */
const LEAST_PAGES = 512;
const MOST_PAGES = 65536;

/** The module's bytes; its functions are exported by their number. */
export function moduleOf(bodies: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Bytes();
  out.append(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  section(out, Section.type, 2, (part) => part.append(Uint8Array.from(types)));
  section(out, Section.import, 3, (part) => {
    for (const [name, type] of [
      ['enter', ENTER],
      ['perform', HANDLER],
    ] as const) {
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
