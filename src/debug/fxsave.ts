/**
 * Registers in an FXSAVE area (SDM 1 10.5.1), by the names that debuggers use.
 *
 * @module
 */

import { Fxsave } from '../x86/index.js';

interface Field {
  offset: number;
  bytes: number;
}

const { ST, XMM, FSW, FTW } = Fxsave;

const fields = new Map<string, Field>([
  ['fctrl', { offset: Fxsave.FCW, bytes: 2 }],
  ['fstat', { offset: FSW, bytes: 2 }],
  ['fop', { offset: Fxsave.FOP, bytes: 2 }],
  ['fioff', { offset: Fxsave.FIP, bytes: 4 }],
  ['fiseg', { offset: Fxsave.FCS, bytes: 2 }],
  ['fooff', { offset: Fxsave.FDP, bytes: 4 }],
  ['foseg', { offset: Fxsave.FDS, bytes: 2 }],
  ['mxcsr', { offset: Fxsave.MXCSR, bytes: 4 }],
]);
for (let n = 0; n < 8; n++) fields.set(`st${n}`, { offset: ST + 16 * n, bytes: 10 });
for (let n = 0; n < 16; n++) fields.set(`xmm${n}`, { offset: XMM + 16 * n, bytes: 16 });

/** Undefined for a name that is none of these. */
export function readFxsave(area: Uint8Array, name: string): bigint | undefined {
  if (name === 'ftag') return tagWord(area);
  const field = fields.get(name);
  if (field === undefined) return undefined;
  let value = 0n;
  for (let n = field.bytes - 1; n >= 0; n--) value = (value << 8n) | BigInt(area[field.offset + n]!);
  return value;
}

/** A copy of the area with one register changed; undefined for a name that is none of these. */
export function withFxsave(area: Uint8Array, name: string, value: bigint): Uint8Array | undefined {
  const changed = area.slice();
  if (name === 'ftag') {
    changed[FTW] = shortTags(value);
    return changed;
  }
  const field = fields.get(name);
  if (field === undefined) return undefined;
  for (let n = 0; n < field.bytes; n++) changed[field.offset + n] = Number((value >> BigInt(8 * n)) & 0xffn);
  return changed;
}

const EMPTY = 3n;
const SPECIAL = 2n;
const ZERO = 1n;
const VALID = 0n;

/** FXSAVE stores one bit for each register, the FPU itself two (SDM 1 8.1.7): the second follows from the number. */
function tagWord(area: Uint8Array): bigint {
  const top = ((area[FSW + 1]! >> 3) & 7) >>> 0;
  let word = 0n;
  for (let physical = 0; physical < 8; physical++) {
    const used = (area[FTW]! >> physical) & 1;
    const stack = (physical - top) & 7;
    word |= (used ? classOf(area, ST + 16 * stack) : EMPTY) << BigInt(2 * physical);
  }
  return word;
}

function classOf(area: Uint8Array, at: number): bigint {
  const exponent = ((area[at + 9]! << 8) | area[at + 8]!) & 0x7fff;
  const significand = area.subarray(at, at + 8);
  if (exponent === 0 && significand.every((byte) => byte === 0)) return ZERO;
  return exponent === 0 || exponent === 0x7fff || !(significand[7]! & 0x80) ? SPECIAL : VALID;
}

function shortTags(word: bigint): number {
  let tags = 0;
  for (let n = 0; n < 8; n++) if (((word >> BigInt(2 * n)) & 3n) !== EMPTY) tags |= 1 << n;
  return tags;
}
