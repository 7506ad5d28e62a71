/**
 * Guest memory for a debugger: read and written by linear or physical address, across pages and regions.
 *
 * @module
 */

import { walkPages } from '../inspect/index.js';
import { type GuestMemory, PAGE_SIZE } from '../memory/index.js';
import { codeSizeOf, type SystemRegisters } from '../x86/index.js';
import { DebugError } from './errors.js';

export type Space = 'linear' | 'physical';

/** The most that is read or written at once. */
export const LONGEST_ACCESS = 65536;

/** Contiguous bytes in one region. */
interface Piece {
  physical: number;
  length: number;
}

/** @param system the registers for the page walk; undefined for physical addresses */
export function readMemory(
  memory: GuestMemory,
  system: SystemRegisters | undefined,
  address: bigint,
  length: number,
): Uint8Array {
  requireLength(length);
  const { found, missing } = piecesOf(memory, system, address, length);
  if (found.length === 0 && missing !== undefined) throw missing;
  const bytes = new Uint8Array(found.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of found) {
    bytes.set(memory.peek(piece.physical, piece.length), at);
    at += piece.length;
  }
  return bytes;
}

export function writeMemory(
  memory: GuestMemory,
  system: SystemRegisters | undefined,
  address: bigint,
  bytes: Uint8Array,
): void {
  requireLength(bytes.length);
  const { found, missing } = piecesOf(memory, system, address, bytes.length);
  if (missing !== undefined) throw missing;
  let at = 0;
  for (const piece of found) {
    memory.writeBytes(piece.physical, bytes.subarray(at, at + piece.length));
    at += piece.length;
  }
}

function requireLength(length: number): void {
  if (Number.isInteger(length) && length >= 0 && length <= LONGEST_ACCESS) return;
  throw new DebugError(`${length} bytes are too many at once`, `${LONGEST_ACCESS} is the most`);
}

/** The numbers of the pages of RAM that hold a range, as `PagesState` counts them; undefined where not all of it is mapped. */
export function pagesOf(
  memory: GuestMemory,
  system: SystemRegisters,
  address: bigint,
  length: number,
): number[] | undefined {
  const { found, missing } = piecesOf(memory, system, address, length);
  if (missing !== undefined) return undefined;
  const pages = new Set<number>();
  for (const piece of found) {
    const region = memory.find(piece.physical)!;
    let first = 0;
    for (const one of memory.regions) {
      if (one.slot === region.slot) break;
      first += one.capacity / PAGE_SIZE;
    }
    const from = piece.physical - region.address;
    for (let at = Math.floor(from / PAGE_SIZE); at * PAGE_SIZE < from + piece.length; at++)
      pages.add(first + at);
  }
  return [...pages];
}

function piecesOf(
  memory: GuestMemory,
  system: SystemRegisters | undefined,
  address: bigint,
  length: number,
): { found: Piece[]; missing?: DebugError } {
  const narrow = system !== undefined && codeSizeOf(system) !== 64;
  const found: Piece[] = [];
  for (let at = address, left = length; left > 0; ) {
    const place = narrow ? at & 0xffff_ffffn : at;
    const mapped: { physical?: bigint; size?: bigint; problem?: string } =
      system === undefined
        ? { physical: place, size: BigInt(LONGEST_ACCESS) }
        : walkPages({ system, memory }, place);
    if (mapped.physical === undefined) {
      return { found, missing: new DebugError(`nothing is mapped at ${hex(place)}`, mapped.problem) };
    }
    const physical = Number(mapped.physical);
    const region = memory.find(physical);
    if (region === undefined) {
      const where = system === undefined ? hex(place) : `${hex(mapped.physical)}, where ${hex(place)} leads`;
      return { found, missing: new DebugError(`there is no memory at ${where}`) };
    }
    const size = mapped.size ?? 1n;
    const inMapping = Number(size - (mapped.physical % size));
    const inRegion = region.address + region.size - physical;
    const count = Math.min(left, inMapping, inRegion);
    found.push({ physical, length: count });
    at += BigInt(count);
    left -= count;
  }
  return { found };
}

function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}
