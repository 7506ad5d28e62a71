/**
 * From a linear address to a guest physical one, as the CPU's page tables say (SDM 3A chapter 4). Nothing is marked as
 * accessed, no right is asked for: a debugger sees all that is mapped.
 *
 * @module
 */
import type { SystemRegisters } from '../engine/contract.js';
import type { GuestMemory } from '../memory/index.js';

const CR0_PG = 1n << 31n;
const CR4_PSE = 1n << 4n;
const CR4_PAE = 1n << 5n;
const CR4_LA57 = 1n << 12n;
const EFER_LMA = 1n << 10n;
const PRESENT = 1n;
/** PS: this entry maps a page. */
const LARGE = 0x80n;
/** Bits 12 to 51. */
const FRAME = 0x000f_ffff_ffff_f000n;
const LOW32 = 0xffff_ffffn;

/** One table that was looked at. */
export interface WalkStep {
  /** `PML5`, `PML4`, `PDPT`, `PD` or `PT`. */
  table: string;
  /** Guest physical address of the entry. */
  at: bigint;
  /** Undefined where there is no RAM. */
  entry: bigint | undefined;
}

export interface Walk {
  steps: WalkStep[];
  /** Guest physical; undefined where nothing is mapped. */
  physical: bigint | undefined;
  /** One past the last linear address that is mapped with this one. */
  end: bigint;
}

interface Level {
  table: string;
  /** The lowest bit of the address that this level's index has. */
  shift: bigint;
  indexBits: bigint;
  entryBytes: number;
  mayBeLarge: boolean;
}

const level = (table: string, shift: number, indexBits: number, entryBytes: number, mayBeLarge: boolean) =>
  ({ table, shift: BigInt(shift), indexBits: BigInt(indexBits), entryBytes, mayBeLarge }) satisfies Level;

function levelsOf({ cr4, efer }: SystemRegisters): Level[] {
  if (!(cr4 & CR4_PAE))
    return [level('PD', 22, 10, 4, (cr4 & CR4_PSE) !== 0n), level('PT', 12, 10, 4, false)];
  const lower = [level('PD', 21, 9, 8, true), level('PT', 12, 9, 8, false)];
  if (!(efer & EFER_LMA)) return [level('PDPT', 30, 2, 8, false), ...lower];
  const four = [level('PML4', 39, 9, 8, false), level('PDPT', 30, 9, 8, true), ...lower];
  return cr4 & CR4_LA57 ? [level('PML5', 48, 9, 8, false), ...four] : four;
}

/** Walks the page tables for `linear`. Tables outside of RAM end the walk. */
export function walk(memory: GuestMemory, system: SystemRegisters, linear: bigint): Walk {
  if (!(system.cr0 & CR0_PG)) {
    const physical = linear & LOW32;
    return { steps: [], physical, end: LOW32 + 1n };
  }
  const steps: WalkStep[] = [];
  // PAE's first table is 32 bytes and begins at any multiple of that (SDM 3A 4.4.1).
  const pae = (system.cr4 & CR4_PAE) !== 0n && (system.efer & EFER_LMA) === 0n;
  let table = system.cr3 & (pae ? 0xffff_ffe0n : FRAME);
  for (const { table: name, shift, indexBits, entryBytes, mayBeLarge } of levelsOf(system)) {
    const index = (linear >> shift) & ((1n << indexBits) - 1n);
    const at = table + index * BigInt(entryBytes);
    const entry = readEntry(memory, at, entryBytes);
    steps.push({ table: name, at, entry });
    const size = 1n << shift;
    const end = (linear & ~(size - 1n)) + size;
    if (entry === undefined || !(entry & PRESENT)) return { steps, physical: undefined, end };
    const large = mayBeLarge && (entry & LARGE) !== 0n;
    if (!large && shift !== 12n) {
      table = entry & FRAME;
      continue;
    }
    const frame = large && entryBytes === 4 ? largeFrame32(entry) : entry & FRAME & ~(size - 1n);
    return { steps, physical: frame | (linear & (size - 1n)), end };
  }
  return { steps, physical: undefined, end: linear + 1n };
}

/** PSE-36: bits 13 to 20 are bits 32 to 39 of the address (SDM 3A table 4-4). */
function largeFrame32(entry: bigint): bigint {
  return (entry & 0xffc0_0000n) | (((entry >> 13n) & 0xffn) << 32n);
}

function readEntry(memory: GuestMemory, at: bigint, bytes: number): bigint | undefined {
  const address = Number(at);
  if (!memory.contains(address, bytes)) return undefined;
  return bytes === 4 ? BigInt(memory.read32(address)) : memory.read64(address);
}
