import {
  type CpuRegisters,
  codeSizeOf,
  isRealAddressing,
  type SegmentName,
  type SystemRegisters,
} from '../x86/index.js';

export { isRealAddressing };

/** The width of code. */
export type CodeBits = 16 | 32 | 64;

/** The linear address of offset `rip` in the code segment. */
export function linearPc(rip: bigint, system: SystemRegisters): bigint {
  return codeSizeOf(system) === 64 ? rip : (system.cs.base + rip) & 0xffff_ffffn;
}

/** Linear address of a segment's offset 0. In 64-bit code only FS and GS have one (SDM 3A 3.4.4). */
export function segmentBase(system: SystemRegisters, name: SegmentName): bigint {
  return codeSizeOf(system) === 64 && name !== 'fs' && name !== 'gs' ? 0n : system[name].base;
}

/** Linear address of offset 0 in the code segment. */
export function codeBase(system: SystemRegisters): bigint {
  return segmentBase(system, 'cs');
}

/** The bits of (R/E)SP that count: SS.B says it outside 64-bit code (SDM 3A 3.4.5). */
export function stackMask(system: SystemRegisters): bigint {
  if (codeSizeOf(system) === 64) return (1n << 64n) - 1n;
  return system.ss.db ? 0xffff_ffffn : 0xffffn;
}

/** The linear address of the top of the stack. */
export function stackPointer({ registers, system }: CpuRegisters): bigint {
  return segmentBase(system, 'ss') + (registers.rsp & stackMask(system));
}
