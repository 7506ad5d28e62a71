/**
 * Translates a linear address to a physical one, level by level, like the CPU (SDM 3A 5). The guest writes its tables: they may
 * point to themselves, outside RAM or at devices; only RAM is read.
 *
 * @module
 */

import type { SystemRegisters } from '../../x86/index.js';
import { CR0, CR4, EFER } from '../../x86/index.js';
import { type CpuSubject, hex, type PhysicalMemory, readPhysical, sizeText } from './words.js';

/** How linear addresses become physical ones (SDM 3A table 5-1). */
export type PagingMode = 'off' | '32-bit' | 'PAE' | '4-level' | '5-level';

/** The registers that control address translation. */
export type Paging = Pick<SystemRegisters, 'cr0' | 'cr3' | 'cr4' | 'efer'>;

export function pagingModeOf({ cr0, cr4, efer }: Paging): PagingMode {
  if (!(cr0 & CR0.PG)) return 'off';
  if (efer & EFER.LMA) return cr4 & LA57 ? '5-level' : '4-level';
  return cr4 & CR4.PAE ? 'PAE' : '32-bit';
}

const LA57 = 1n << 12n;
const P = 1n;
const RW = 2n;
const US = 4n;
const PS = 0x80n;
const NX = 1n << 63n;
/** Bits of an entry's address; processors have 52 bits of it or fewer. */
const ADDRESS = 0x000f_ffff_ffff_f000n;

/** Which accesses a page allows. */
export interface PageRights {
  write: boolean;
  /** Ring 3 may. */
  user: boolean;
  execute: boolean;
}

/** One level of a walk. */
export interface PageLevel {
  /** `PML4E`, `PDPTE`, `PDE`, `PTE`, and `PML5E` with five levels. */
  name: string;
  index: number;
  /** Guest physical address of the entry. */
  at: bigint;
  /** Undefined where it is outside RAM. */
  entry: bigint | undefined;
  /** The names of the set bits. */
  bits: string[];
  /** Physical address of the next table, or of the page. */
  leadsTo?: bigint;
  /** Why the walk ends here without a page. */
  problem?: string;
}

/** The result of a walk. */
export interface PageWalk {
  linear: bigint;
  mode: PagingMode;
  levels: PageLevel[];
  /** Undefined where the address is not mapped. */
  physical?: bigint;
  /** Of the page, in bytes. */
  size?: bigint;
  rights?: PageRights;
  /** Why there is no page. */
  problem?: string;
}

/** The properties of one level. */
interface Step {
  name: string;
  shift: bigint;
  /** Bits of the index. */
  bits: bigint;
  entryBytes: 4 | 8;
  /** An entry with PS maps a page here. */
  large: boolean;
  /** No rights in this entry (PAE's pointers). */
  plain?: boolean;
}

const long: readonly Step[] = [
  { name: 'PML5E', shift: 48n, bits: 9n, entryBytes: 8, large: false },
  { name: 'PML4E', shift: 39n, bits: 9n, entryBytes: 8, large: false },
  { name: 'PDPTE', shift: 30n, bits: 9n, entryBytes: 8, large: true },
  { name: 'PDE', shift: 21n, bits: 9n, entryBytes: 8, large: true },
  { name: 'PTE', shift: 12n, bits: 9n, entryBytes: 8, large: false },
];

/** The levels of a mode from CR3 down, and the address of the first table. */
export function pagingPlan(system: Paging): {
  mode: PagingMode;
  root: bigint;
  steps: readonly Step[];
} {
  const mode = pagingModeOf(system);
  const { cr3, cr4 } = system;
  switch (mode) {
    case 'off':
      return { mode, root: 0n, steps: [] };
    case '32-bit':
      return {
        mode,
        root: cr3 & 0xffff_f000n,
        steps: [
          { name: 'PDE', shift: 22n, bits: 10n, entryBytes: 4, large: (cr4 & CR4.PSE) !== 0n },
          { name: 'PTE', shift: 12n, bits: 10n, entryBytes: 4, large: false },
        ],
      };
    case 'PAE':
      return {
        mode,
        root: cr3 & 0xffff_ffe0n,
        steps: [
          { name: 'PDPTE', shift: 30n, bits: 2n, entryBytes: 8, large: false, plain: true },
          ...long.slice(3),
        ],
      };
    default:
      return { mode, root: cr3 & ADDRESS, steps: mode === '5-level' ? long : long.slice(1) };
  }
}

export type { Step as PagingStep };

/** The content of an entry, independent of the address. */
export interface EntryMeaning {
  present: boolean;
  /** True where it maps a page and does not point to a further table. */
  page: boolean;
  target: bigint;
  rights: PageRights;
  /** Reserved bits that are set, named. */
  problem?: string;
}

/** Reads an entry of one level (SDM 3A tables 5-4 to 5-20). */
export function readEntry(entry: bigint, step: Step, mode: PagingMode, system: Paging): EntryMeaning {
  const present = (entry & P) !== 0n;
  const last = step.name === 'PTE';
  const page = last || (step.large && (entry & PS) !== 0n);
  const size = 1n << step.shift;
  const nxe = (system.efer & EFER.NXE) !== 0n;
  const rights = step.plain
    ? { write: true, user: true, execute: true }
    : {
        write: (entry & RW) !== 0n,
        user: (entry & US) !== 0n,
        execute: step.entryBytes === 4 || !nxe || (entry & NX) === 0n,
      };
  let target = entry & (step.entryBytes === 4 ? 0xffff_f000n : ADDRESS);
  if (page && !last) {
    target &= ~(size - 1n);
    // Bits 32 to 39 of a 4 MiB page's address are in bits 13 to 20 (PSE-36, SDM 3A table 5-4).
    if (step.entryBytes === 4) target |= (entry & 0x1f_e000n) << 19n;
  }
  const meaning: EntryMeaning = { present, page, target, rights };
  const problem = present ? reservedBits(entry, step, mode, page, nxe) : undefined;
  return problem === undefined ? meaning : { ...meaning, problem };
}

function reservedBits(
  entry: bigint,
  step: Step,
  mode: PagingMode,
  page: boolean,
  nxe: boolean,
): string | undefined {
  const says = (what: string) => `reserved: ${what}, so every access is a page fault with RSVD`;
  if (step.entryBytes === 4) {
    if (page && step.name === 'PDE' && entry & 0x20_0000n) return says('bit 21 of a 4 MiB page must be 0');
    return undefined;
  }
  if (entry & NX && !nxe) return says('bit 63 (NX) is set while EFER.NXE is 0');
  if (step.plain && entry & 0x1e6n)
    return 'bits 1, 2 and 5 to 8 of a PAE pointer must be 0: loading CR3 is a #GP';
  if (mode === 'PAE' && entry & 0x7ff0_0000_0000_0000n) return says('bits 52 to 62 must be 0 in PAE paging');
  if ((step.name === 'PML4E' || step.name === 'PML5E') && entry & PS)
    return says(`bit 7 of a ${step.name} must be 0`);
  if (page && step.name !== 'PTE') {
    const size = 1n << step.shift;
    // Bit 12 is PAT; those between it and the page's size are reserved.
    const wrong = entry & (size - 1n) & ~0x1fffn;
    if (wrong !== 0n)
      return says(
        `a page of ${sizeText(size)} must begin at a multiple of ${sizeText(size)}, this one begins ${hex(wrong)} after one`,
      );
  }
  return undefined;
}

const bitNames: readonly (readonly [bigint, string])[] = [
  [P, 'P'],
  [RW, 'RW'],
  [US, 'US'],
  [8n, 'PWT'],
  [0x10n, 'PCD'],
  [0x20n, 'A'],
];

/** The names of an entry's bits that are set: `P RW US A D`. */
export function entryBits(entry: bigint, step: Step, page: boolean): string[] {
  const names = bitNames.filter(([bit]) => entry & bit).map(([, name]) => name);
  if (page && entry & 0x40n) names.push('D');
  if (entry & PS) names.push(step.name === 'PTE' ? 'PAT' : 'PS');
  if (page && entry & 0x100n) names.push('G');
  if (step.entryBytes === 8 && entry & NX) names.push('NX');
  return names;
}

/** True if the bits above the translated ones are copies of the highest that is (SDM 1 3.3.7.1). */
export function isCanonical(linear: bigint, mode: PagingMode): boolean {
  const bits = mode === '5-level' ? 57 : 48;
  return BigInt.asUintN(64, BigInt.asIntN(bits, linear)) === BigInt.asUintN(64, linear);
}

/** Walks the page tables for one linear address. Changes nothing: accessed and dirty bits stay unchanged. */
export function walkPages(
  { system, memory }: Omit<CpuSubject, 'system'> & { system: Paging },
  address: bigint,
): PageWalk {
  const { mode, root, steps } = pagingPlan(system);
  const wide = mode === '4-level' || mode === '5-level';
  const linear = BigInt.asUintN(wide ? 64 : 32, address);
  const walk: PageWalk = { linear, mode, levels: [] };
  const all = { write: true, user: true, execute: true };
  if (mode === 'off') return { ...walk, physical: linear, size: 4096n, rights: all };
  if (wide && !isCanonical(linear, mode)) {
    const bits = mode === '5-level' ? 57 : 48;
    return {
      ...walk,
      problem: `not canonical: bits ${bits} to 63 must be copies of bit ${bits - 1}; using it is a #GP`,
    };
  }
  const rights = { ...all };
  let table = root;
  for (const step of steps) {
    const index = (linear >> step.shift) & ((1n << step.bits) - 1n);
    const level = readLevel(memory, step, table, index);
    walk.levels.push(level);
    if (level.entry === undefined) return { ...walk, problem: level.problem! };
    const meaning = readEntry(level.entry, step, mode, system);
    level.bits = entryBits(level.entry, step, meaning.page);
    const problem = meaning.present ? meaning.problem : `the ${step.name} is not present (P = 0)`;
    if (problem !== undefined) {
      level.problem = problem;
      return { ...walk, problem };
    }
    rights.write &&= meaning.rights.write;
    rights.user &&= meaning.rights.user;
    rights.execute &&= meaning.rights.execute;
    level.leadsTo = meaning.target;
    table = meaning.target;
    if (meaning.page) {
      const size = 1n << step.shift;
      return { ...walk, physical: meaning.target + (linear & (size - 1n)), size, rights };
    }
  }
  return walk;
}

function readLevel(memory: PhysicalMemory, step: Step, table: bigint, index: bigint): PageLevel {
  const at = table + index * BigInt(step.entryBytes);
  const entry = readPhysical(memory, at, step.entryBytes);
  const level: PageLevel = { name: step.name, index: Number(index), at, entry, bits: [] };
  if (entry === undefined) level.problem = `the ${step.name} would be at ${hex(at)}, which is not RAM`;
  return level;
}

/** `writable, ring 0 only, executable`. */
export function rightsText({ write, user, execute }: PageRights): string {
  return `${write ? 'writable' : 'read-only'}, ${user ? 'for ring 3 too' : 'ring 0 only'}, ${
    execute ? 'executable' : 'not executable (NX)'
  }`;
}

/** A walk as text of several lines. */
export function formatWalk(walk: PageWalk, memory?: PhysicalMemory): string {
  const title = `page walk of ${hex(walk.linear)}: ${walk.mode === 'off' ? 'paging is off' : `${walk.mode} paging`}`;
  const lines = [title];
  const width = walk.mode === '32-bit' ? 8 : 16;
  for (const { name, index, at, entry, bits, leadsTo } of walk.levels) {
    const value = entry === undefined ? '(not RAM)'.padEnd(width) : entry.toString(16).padStart(width, '0');
    const target = leadsTo === undefined ? '' : ` → ${hex(leadsTo)}`;
    lines.push(
      `  ${name.padEnd(5)} ${String(index).padStart(4)} at ${hex(at, 8)}  ${value}  ${bits.join(' ')}${target}`,
    );
  }
  if (walk.problem !== undefined) lines.push(`  stops: ${walk.problem}`);
  else {
    const { physical = 0n, size = 4096n, rights } = walk;
    const paged = walk.mode === 'off' ? '' : `, in a page of ${sizeText(size)}: ${rightsText(rights!)}`;
    lines.push(`  physical address ${hex(physical)}${paged}`);
    if (memory !== undefined && readPhysical(memory, physical, 1) === undefined)
      lines.push('  which is not RAM: an access leaves the guest, for a device, or unclaimed');
  }
  return lines.join('\n');
}
