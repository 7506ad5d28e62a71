/**
 * Locations of values: general and other registers, or parts of them, and memory by its linear address.
 *
 * @module
 */
import type { MemoryOperand, Operand } from '../../isa/index.js';
import { registerNames, type SegmentName } from '../../x86/index.js';
import { DebugError } from '../errors.js';
import { stackMask, stackPointer } from '../mode.js';
import { type CpuView, registerOf } from '../registers.js';

/** Bytes of a register or of memory. */
export type Place =
  /** `name` is the whole register, of which these are `size` bytes from byte `from` on. */
  | { kind: 'register'; name: string; from: number; size: number }
  | { kind: 'memory'; address: bigint; size: number };

const parts = new Map<string, { name: string; from: number; size: number }>();
for (const name of registerNames) parts.set(name, { name, from: 0, size: 8 });
for (const middle of ['ax', 'bx', 'cx', 'dx', 'si', 'di', 'bp', 'sp']) {
  const name = `r${middle}`;
  parts.set(`e${middle}`, { name, from: 0, size: 4 }).set(middle, { name, from: 0, size: 2 });
  parts.set(middle.endsWith('x') ? `${middle[0]}l` : `${middle}l`, { name, from: 0, size: 1 });
  if (middle.endsWith('x')) parts.set(`${middle[0]}h`, { name, from: 1, size: 1 });
}
for (let n = 8; n < 16; n++) {
  const name = `r${n}`;
  parts.set(`${name}d`, { name, from: 0, size: 4 }).set(`${name}w`, { name, from: 0, size: 2 });
  parts.set(`${name}b`, { name, from: 0, size: 1 });
}
parts.set('eip', { name: 'rip', from: 0, size: 4 }).set('ip', { name: 'rip', from: 0, size: 2 });

/** A register by its name: `rax`, `ah`, `xmm0`, `ds`. */
export function registerPlace(name: string, size = 8): Place & { kind: 'register' } {
  return { kind: 'register', ...(parts.get(name) ?? { name, from: 0, size }) };
}

/** The general registers, which users ask for most. */
export const isKnownRegister = (name: string): boolean => parts.has(name);

/** The linear address of a memory operand, with these registers. @param next the address of the instruction after it */
export function addressOf(operand: MemoryOperand, view: CpuView, code: 16 | 32 | 64): bigint {
  const { base, index, scale, displacement, addressSize, target } = operand;
  const read = (name: string | undefined) => (name === undefined ? 0n : (registerOfPart(view, name) ?? 0n));
  const sum = target ?? displacement + read(base) + read(index) * BigInt(scale);
  const offset = BigInt.asUintN(addressSize, sum);
  const onStack = base !== undefined && /^[er]?[sb]p$/.test(base);
  const segment = (operand.segment ?? (onStack ? 'ss' : 'ds')) as SegmentName;
  const flat = code === 64 && segment !== 'fs' && segment !== 'gs';
  return BigInt.asUintN(code === 64 ? 64 : 32, (flat ? 0n : view.system[segment].base) + offset);
}

function registerOfPart(view: CpuView, name: string): bigint | undefined {
  const { name: whole, from, size } = registerPlace(name);
  const value = registerOf(view, whole);
  return value === undefined ? undefined : BigInt.asUintN(8 * size, value >> BigInt(8 * from));
}

/** The linear address of the top of the stack, moved by so many bytes. */
export function stackAt({ registers, system }: CpuView, by: number): bigint {
  const mask = stackMask(system);
  const pointer = (registers.rsp + BigInt(by)) & mask;
  return stackPointer({ registers: { ...registers, rsp: pointer }, system });
}

/** An operand as a location; undefined for a number. @param size where the operand does not say it */
export function placeOf(
  operand: Operand | undefined,
  view: CpuView,
  code: 16 | 32 | 64,
  size = 0,
): Place | undefined {
  if (operand?.kind === 'register') return registerPlace(operand.name, operand.size);
  if (operand?.kind !== 'memory') return undefined;
  return { kind: 'memory', address: addressOf(operand, view, code), size: operand.size || size };
}

/** True where two locations share a byte. */
export function overlap(one: Place, other: Place): boolean {
  if (one.kind === 'register')
    return (
      other.kind === 'register' &&
      one.name === other.name &&
      one.from < other.from + other.size &&
      other.from < one.from + one.size
    );
  return (
    other.kind === 'memory' &&
    one.address < other.address + BigInt(other.size) &&
    other.address < one.address + BigInt(one.size)
  );
}

/** The name of a location for the user. */
export type WantedPlace =
  | { kind: 'register'; name: string }
  | { kind: 'memory'; address: bigint; size: number };

/** The most bytes of memory in one query: a vector's. */
const LARGEST = 32;

/** @throws DebugError for an unknown register, and for an invalid length */
export function wantedPlace(wanted: WantedPlace, view: CpuView): Place {
  if (wanted.kind === 'memory') {
    const { address, size } = wanted;
    if (!Number.isInteger(size) || size < 1 || size > LARGEST)
      throw new DebugError(`${size} bytes are no value`, `ask for 1 to ${LARGEST}`);
    return { kind: 'memory', address: BigInt.asUintN(64, address), size };
  }
  const place = registerPlace(wanted.name, /^xmm/.test(wanted.name) ? 16 : 8);
  if (registerOf(view, place.name) === undefined) throw new DebugError(`there is no register ${wanted.name}`);
  return place;
}

const words: Record<number, string> = { 1: 'byte', 2: 'word', 4: 'dword', 8: 'qword', 16: 'xmmword' };

/** A location as a debugger's user writes it. */
export function placeText(place: Place): string {
  if (place.kind === 'memory')
    return `${words[place.size] ?? `${place.size} bytes`} [0x${place.address.toString(16)}]`;
  for (const [name, part] of parts)
    if (part.name === place.name && part.from === place.from && part.size === place.size) return name;
  return place.name;
}
