/**
 * From a linear address to a physical one, as the processor's tables have it (SDM 3A chapter 4); nothing is changed and
 * no right is asked for.
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
const LARGE = 0x80n;
const ADDRESS = 0x000f_ffff_ffff_f000n;

type Paging = Pick<SystemRegisters, 'cr0' | 'cr3' | 'cr4' | 'efer'>;

/** How many levels of tables there are, and how many bits of the address each of them takes. */
function shapeOf({ cr4, efer }: Paging): { levels: number; bits: bigint } {
  if ((cr4 & CR4_PAE) === 0n) return { levels: 2, bits: 10n };
  if ((efer & EFER_LMA) === 0n) return { levels: 3, bits: 9n };
  return { levels: (cr4 & CR4_LA57) === 0n ? 4 : 5, bits: 9n };
}

/** The physical address; undefined where nothing is mapped, or where a table is not in RAM. */
export function physicalAddress(memory: GuestMemory, system: Paging, linear: bigint): number | undefined {
  if ((system.cr0 & CR0_PG) === 0n) return Number(linear);
  const { levels, bits } = shapeOf(system);
  const wide = bits === 9n;
  let table = system.cr3 & (levels === 3 ? 0xffff_ffe0n : ADDRESS);
  for (let level = levels; level > 0; level--) {
    const shift = 12n + BigInt(level - 1) * bits;
    const index = (linear >> shift) & (levels === 3 && level === 3 ? 3n : (1n << bits) - 1n);
    const at = Number(table + index * (wide ? 8n : 4n));
    if (memory.find(at, wide ? 8 : 4) === undefined) return undefined;
    const entry = wide ? memory.read64(at) : BigInt(memory.read32(at));
    if ((entry & PRESENT) === 0n) return undefined;
    const offsetMask = (1n << shift) - 1n;
    const isLarge = level > 1 && (entry & LARGE) !== 0n && (wide || (system.cr4 & CR4_PSE) !== 0n);
    if (level === 1 || isLarge) {
      // Bits 13 to 20 of a 4 MiB page's entry are the address's bits 32 to 39 (SDM 3A table 4-4).
      const high = wide || level === 1 ? 0n : ((entry >> 13n) & 0xffn) << 32n;
      return Number((entry & ADDRESS & ~offsetMask) | high | (linear & offsetMask));
    }
    table = entry & ADDRESS;
  }
  return undefined;
}
