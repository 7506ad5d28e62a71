/**
 * The memory that an instruction will read and write, with the registers before it.
 *
 * @module
 */
import type { Instruction } from '../../isa/index.js';
import { RFLAGS } from '../../x86/index.js';
import type { CpuView } from '../registers.js';
import { effectsOf } from './effects.js';
import { type Place, placeOf } from './places.js';

/** Bytes by their linear address. */
export interface MemoryAccess {
  readonly address: bigint;
  readonly size: number;
  readonly write: boolean;
  /** How many elements of a repeated string instruction these are. */
  readonly times?: number;
}

/** Instructions whose memory operand is only an address, or no access to that memory's data. */
const addressOnly = /^(lea|nop|prefetch\w*|inv\w+|clf\w+|clw\w+|monitor)$/;
const strings = /^(movs|stos|lods|ins|outs|cmps|scas)$/;

/**
 * The accesses of the instruction's own operands and of the stack. Not those to page tables and descriptors, nor an exception's frame.
 *
 * @param most the most elements of a repeated string instruction: each is an instruction to the CPU's clock
 */
export function accessesOf(instruction: Instruction, view: CpuView, most = 1): MemoryAccess[] {
  const { encoding, mnemonic, operands } = instruction;
  if (encoding === undefined || addressOnly.test(mnemonic)) return [];
  const found: MemoryAccess[] = [];
  const add = (place: Place | undefined, write: boolean) => {
    if (place?.kind !== 'memory') return;
    const { address, size } = place;
    if (!found.some((one) => one.address === address && one.write === write))
      found.push({ address, size: size || 1, write });
  };
  for (const { to, from } of effectsOf(instruction, view)) {
    add(to, true);
    for (const place of from) add(place, false);
  }
  const written = new Set(found.filter(({ write }) => write).map(({ address }) => address));
  for (const operand of operands) {
    const place = placeOf(operand, view, encoding.code);
    // What only reads its operands has no effect there.
    if (place?.kind === 'memory' && !written.has(place.address)) add(place, false);
  }
  if (encoding.repeat === 0 || !strings.test(encoding.row.name)) return found;
  return repeated(found, view, encoding.addressSize, most);
}

function repeated(
  list: readonly MemoryAccess[],
  { registers }: CpuView,
  addressSize: number,
  most: number,
): MemoryAccess[] {
  const count = BigInt.asUintN(addressSize, registers.rcx);
  if (count === 0n) return [];
  const times = count < BigInt(most) ? Number(count) : most;
  const down = (registers.rflags & RFLAGS.DF) !== 0n;
  return list.map(({ address, size, write }) => {
    const first = down ? address - BigInt((times - 1) * size) : address;
    return { address: BigInt.asUintN(64, first), size: times * size, write, times };
  });
}
