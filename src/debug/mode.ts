import type { CpuRegisters, SegmentName, SystemRegisters } from '../x86/index.js';

/** How wide code is. */
export type CodeBits = 16 | 32 | 64;

const EFER_LMA = 1n << 10n;
const CR0_PE = 1n;
const RFLAGS_VM = 1n << 17n;

/** What the CPU's next instruction is decoded as (SDM 3A 3.4.5). */
export function codeBits({ cs, efer }: SystemRegisters): CodeBits {
  if (cs.l && (efer & EFER_LMA) !== 0n) return 64;
  return cs.db ? 32 : 16;
}

/** The linear address of offset `rip` in the code segment. */
export function linearPc(rip: bigint, system: SystemRegisters): bigint {
  return codeBits(system) === 64 ? rip : (system.cs.base + rip) & 0xffff_ffffn;
}

/** Linear address of a segment's offset 0. In 64-bit code only FS and GS have one (SDM 3A 3.4.4). */
export function segmentBase(system: SystemRegisters, name: SegmentName): bigint {
  return codeBits(system) === 64 && name !== 'fs' && name !== 'gs' ? 0n : system[name].base;
}

/** Linear address of offset 0 in the code segment. */
export function codeBase(system: SystemRegisters): bigint {
  return segmentBase(system, 'cs');
}

/** Whether a selector is a paragraph's number: in real and in virtual-8086 mode (SDM 3B 21.1.1). */
export function isRealAddressing({ registers, system }: CpuRegisters): boolean {
  return (system.cr0 & CR0_PE) === 0n || (registers.rflags & RFLAGS_VM) !== 0n;
}

/** The bits of (R/E)SP that count: SS.B says it outside 64-bit code (SDM 3A 3.4.5). */
export function stackMask(system: SystemRegisters): bigint {
  if (codeBits(system) === 64) return (1n << 64n) - 1n;
  return system.ss.db ? 0xffff_ffffn : 0xffffn;
}

/** The linear address of the top of the stack. */
export function stackPointer({ registers, system }: CpuRegisters): bigint {
  return segmentBase(system, 'ss') + (registers.rsp & stackMask(system));
}
