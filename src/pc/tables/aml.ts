/**
 * A small encoder of ACPI's machine language (ACPI 6.4 chapter 20): what a DSDT of a PC needs, and no more.
 *
 * @module
 */

/** Encoded terms. */
export type Aml = readonly number[];

/** A name of four characters, a path (`\\_SB.PCI0`), or `^NAME`. */
function nameString(path: string): Aml {
  const [, prefix = '', rest = ''] = /^([\\^]*)(.*)$/.exec(path) ?? [];
  const segments = rest === '' ? [] : rest.split('.');
  const bytes = segments.flatMap((segment) => ascii(segment.padEnd(4, '_')));
  const head =
    segments.length === 0
      ? [0]
      : segments.length === 1
        ? []
        : segments.length === 2
          ? [0x2e]
          : [0x2f, segments.length];
  return [...ascii(prefix), ...head, ...bytes];
}

const ascii = (text: string): number[] => Array.from(text, (one) => one.charCodeAt(0));

function little(value: number, bytes: number): number[] {
  const made: number[] = [];
  for (let rest = value; made.length < bytes; rest = Math.floor(rest / 256)) made.push(rest % 256);
  return made;
}

/** A package length in front of a body: it counts itself (20.2.4). */
function sized(body: Aml): Aml {
  if (body.length < 63) return [body.length + 1, ...body];
  const more = body.length + 2 < 2 ** 12 ? 1 : body.length + 3 < 2 ** 20 ? 2 : 3;
  const length = body.length + 1 + more;
  return [(more << 6) | (length & 15), ...little(Math.floor(length / 16), more), ...body];
}

export function int(value: number): Aml {
  if (value === 0 || value === 1) return [value];
  if (value < 0x100) return [0x0a, value];
  if (value < 0x1_0000) return [0x0b, ...little(value, 2)];
  return value < 2 ** 32 ? [0x0c, ...little(value, 4)] : [0x0e, ...little(value, 8)];
}

export const text = (value: string): Aml => [0x0d, ...ascii(value), 0];
/** The meaning of a name. */
export const ref = (path: string): Aml => nameString(path);
export const name = (path: string, value: Aml): Aml => [0x08, ...nameString(path), ...value];
export const scope = (path: string, ...terms: Aml[]): Aml => [
  0x10,
  ...sized([...nameString(path), ...terms.flat()]),
];
export const device = (path: string, ...terms: Aml[]): Aml => [
  0x5b,
  0x82,
  ...sized([...nameString(path), ...terms.flat()]),
];
export const pack = (...elements: Aml[]): Aml => [0x12, ...sized([elements.length, ...elements.flat()])];
export const buffer = (bytes: readonly number[]): Aml => [0x11, ...sized([...int(bytes.length), ...bytes])];
/** A method without arguments that gives a value. */
export const method = (path: string, ...terms: Aml[]): Aml => [
  0x14,
  ...sized([...nameString(path), 0, ...terms.flat()]),
];
export const giveBack = (value: Aml): Aml => [0xa4, ...value];

/** A compressed EISA identifier such as `PNP0A03` (19.3.4). */
export function eisaId(id: string): Aml {
  const letter = (at: number) => id.charCodeAt(at) - 0x40;
  const number = Number.parseInt(id.slice(3), 16);
  const value = (letter(0) << 26) | (letter(1) << 21) | (letter(2) << 16) | number;
  // Its bytes are in reverse order.
  return int(
    [24, 16, 8, 0].reduce((swapped, shift, i) => swapped + ((value >>> shift) & 0xff) * 256 ** i, 0),
  );
}

// Resource descriptors (6.4): bytes of a buffer.

export const ioPorts = (first: number, length: number): number[] => [
  0x47,
  1,
  ...little(first, 2),
  ...little(first, 2),
  1,
  length,
];
export const irq = (...numbers: number[]): number[] => [
  0x22,
  ...little(
    numbers.reduce((mask, one) => mask | (1 << one), 0),
    2,
  ),
];
/** A pin of an I/O APIC (6.4.3.6): level, active high, shared. */
export const interrupt = (pin: number): number[] => [0x89, 6, 0, 0x09, 1, ...little(pin, 4)];
export const dma = (channel: number): number[] => [0x2a, 1 << channel, 0];
export const fixedMemory = (address: number, length: number): number[] => [
  0x86,
  9,
  0,
  1,
  ...little(address, 4),
  ...little(length, 4),
];

/** An address space that a bridge passes on: word-wide bus numbers or ports, or 32 bits of memory. */
export function passed(kind: 'bus' | 'io' | 'memory', first: number, last: number): number[] {
  const wide = kind === 'memory' ? 4 : 2;
  const [type, flags] = { memory: [0, 1], io: [1, 3], bus: [2, 0] }[kind] as [number, number];
  const body = [
    type,
    0x0c,
    flags,
    ...[0, first, last, 0, last - first + 1].flatMap((value) => little(value, wide)),
  ];
  return [wide === 4 ? 0x87 : 0x88, ...little(body.length, 2), ...body];
}

/** Descriptors and their end. The checksum may be 0: then it is not checked. */
export const resources = (...descriptors: number[][]): Aml => buffer([...descriptors.flat(), 0x79, 0]);
