import type { SystemRegisters } from '../engine/contract.js';

/** How wide code is. */
export type CodeBits = 16 | 32 | 64;

const EFER_LMA = 1n << 10n;

/** What the CPU's next instruction is decoded as (SDM 3A 3.4.5). */
export function codeBits({ cs, efer }: SystemRegisters): CodeBits {
  if (cs.l && (efer & EFER_LMA) !== 0n) return 64;
  return cs.db ? 32 : 16;
}

/** The linear address of offset `rip` in the code segment. */
export function linearPc(rip: bigint, system: SystemRegisters): bigint {
  return codeBits(system) === 64 ? rip : (system.cs.base + rip) & 0xffff_ffffn;
}
