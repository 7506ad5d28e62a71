/**
 * What a processor checks before it enters a guest (SDM 3C 27.3.1, "Checks on the Guest State Area"; APM 2 15.5.1 has fewer).
 * When one fails, an engine says only that; this file finds out which one. Checks that depend on the engine's setup of the
 * processor are left out.
 *
 * @module
 */

import { hex, isCanonical, pagingModeOf, readPhysical } from '../inspect/index.js';
import { CR0, CR4, EFER, RFLAGS } from '../x86/index.js';
import { type EntryFinding, failing, type GuestState } from './entry-finding.js';
import { checkSegments } from './entry-segments.js';

/** The checks that this state fails, in the manual's order; none where the reason is a different one. */
export function checkGuestState(state: GuestState): EntryFinding[] {
  return [
    ...checkControlRegisters(state),
    ...checkEfer(state),
    ...checkSegments(state),
    ...checkTables(state),
    ...checkPlace(state),
    ...checkFlags(state),
    ...checkPointers(state),
  ];
}

function checkControlRegisters({ system }: GuestState): EntryFinding[] {
  const { cr0, cr3, cr4, efer } = system;
  const long = (efer & EFER.LMA) !== 0n;
  return failing([
    [
      (cr0 & CR0.PG) !== 0n && !(cr0 & CR0.PE),
      `CR0 is ${hex(cr0)}: PG is set and PE is not`,
      'Paging needs protected mode: set CR0.PE (bit 0) with CR0.PG.',
    ],
    [
      (cr0 & CR0.NW) !== 0n && !(cr0 & CR0.CD),
      `CR0 is ${hex(cr0)}: NW is set and CD is not`,
      'Leave CR0.NW (bit 29) and CR0.CD (bit 30) 0.',
    ],
    [cr0 >> 32n !== 0n, `CR0 is ${hex(cr0)}: bits 32 to 63 must be 0`, 'CR0 has 32 bits.'],
    [
      long && !(cr0 & CR0.PG),
      `EFER.LMA is set and CR0.PG is not (CR0 ${hex(cr0)}, EFER ${hex(efer)})`,
      'Long mode is active only while paging is on: set CR0.PG, or clear EFER.LMA.',
    ],
    [
      long && !(cr4 & CR4.PAE),
      `EFER.LMA is set and CR4.PAE is not (CR4 ${hex(cr4)}, EFER ${hex(efer)})`,
      'Long mode’s page tables are PAE’s: set CR4.PAE (bit 5).',
    ],
    [
      !long && (cr4 & CR4.PCIDE) !== 0n,
      `CR4 is ${hex(cr4)}: PCIDE is set outside of long mode`,
      'Set CR4.PCIDE (bit 17) only in long mode.',
    ],
    [
      cr3 >> 52n !== 0n,
      `CR3 is ${hex(cr3)}: no processor has physical addresses of more than 52 bits`,
      'CR3 holds the physical address of the topmost page table, aligned to 4 KiB.',
    ],
  ]);
}

/** SCE, LME, LMA, NXE, and AMD's further bits (APM 2 3.1.7). */
const EFER_KNOWN = 0x26_fd01n;

function checkEfer({ system }: GuestState): EntryFinding[] {
  const { cr0, efer } = system;
  const lme = (efer & EFER.LME) !== 0n;
  const lma = (efer & EFER.LMA) !== 0n;
  return failing([
    [
      (efer & ~EFER_KNOWN) !== 0n,
      `EFER is ${hex(efer)}: bits ${hex(efer & ~EFER_KNOWN)} are reserved`,
      'In EFER set only SCE (bit 0), LME (8), LMA (10) and NXE (11).',
    ],
    [
      (cr0 & CR0.PG) !== 0n && lme !== lma,
      `paging is on and EFER is ${hex(efer)}: LME and LMA must be the same then`,
      lme
        ? 'For long mode set EFER.LMA (bit 10) as well as LME; a processor sets it when paging is turned on with LME set.'
        : 'Without EFER.LME there is no long mode: clear LMA (bit 10), or set LME (bit 8).',
    ],
  ]);
}

function checkTables({ system }: GuestState): EntryFinding[] {
  const mode = pagingModeOf(system);
  return (['gdt', 'idt'] as const).flatMap((table) => {
    const { base, limit } = system[table];
    const name = `${table.toUpperCase()}R`;
    return failing([
      [
        !isCanonical(base, mode),
        `${name}’s base ${hex(base)} is not canonical`,
        `Give ${name} the linear address of the table.`,
      ],
      [limit > 0xffff, `${name}’s limit ${hex(limit)} has more than 16 bits`, 'A limit is 0xffff at most.'],
    ]);
  });
}

function checkPlace({ registers, system }: GuestState): EntryFinding[] {
  const { rip } = registers;
  const wide = (system.efer & EFER.LMA) !== 0n && system.cs.l;
  return failing([
    [
      wide && !isCanonical(rip, pagingModeOf(system)),
      `RIP is ${hex(rip)}, which is not canonical`,
      'Did a pointer lose its upper half, or was something added to it?',
    ],
    [
      !wide && rip >> 32n !== 0n,
      `RIP is ${hex(rip)} in code that is not 64-bit: bits 32 to 63 must be 0`,
      'For 64-bit code CS needs L = 1 (bit 53 of its descriptor), and long mode.',
    ],
  ]);
}

/** Bits 3, 5, 15 and 22 to 63. */
const RFLAGS_RESERVED = 0xffff_ffff_ffc0_8028n;

function checkFlags({ registers, system }: GuestState): EntryFinding[] {
  const { rflags } = registers;
  return failing([
    [
      (rflags & RFLAGS_RESERVED) !== 0n,
      `RFLAGS is ${hex(rflags)}: bits ${hex(rflags & RFLAGS_RESERVED)} are reserved and must be 0`,
      'Was something else loaded as the flags (POPF, IRET, or the state that the guest was given)?',
    ],
    [!(rflags & 2n), `RFLAGS is ${hex(rflags)}: bit 1 must be 1`, 'Cleared flags are 0x2, not 0.'],
    [
      (rflags & RFLAGS.VM) !== 0n && (!(system.cr0 & CR0.PE) || (system.efer & EFER.LMA) !== 0n),
      `RFLAGS.VM is set ${system.cr0 & CR0.PE ? 'in long mode' : 'in real mode'}`,
      'Virtual-8086 mode is a mode of 32-bit protected mode.',
    ],
  ]);
}

/** Reserved in a pointer at CR3: bits 1, 2, 5 to 8 and those that no physical address has (SDM 3A 4.4.1). */
const POINTER_RESERVED = (0xfffn << 52n) | 0x1e6n;

/** With PAE the processor loads the four pointers at CR3 as it enters (SDM 3C 27.3.1.6). */
function checkPointers({ system, memory }: GuestState): EntryFinding[] {
  if (pagingModeOf(system) !== 'PAE') return [];
  return [0n, 1n, 2n, 3n].flatMap((n) => {
    const at = (system.cr3 & 0xffff_ffe0n) + n * 8n;
    const entry = readPhysical(memory, at, 8) ?? 0n;
    return failing([
      [
        (entry & 1n) !== 0n && (entry & POINTER_RESERVED) !== 0n,
        `the PAE pointer ${n} at ${hex(at)} is ${hex(entry)}: bits ${hex(entry & POINTER_RESERVED)} are reserved`,
        'In the four pointers at CR3 set only P (0x001): RW and US are reserved there.',
      ],
    ]);
  });
}
