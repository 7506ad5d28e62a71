import { CR0, EFER, RFLAGS } from './bits.js';
import type { CpuRegisters, SystemRegisters } from './state.js';

/** How wide code is: 16, 32 or 64 bits. CS.L counts only in long mode (SDM 3A 6.2.1). */
export function codeSizeOf({ cs, efer }: Pick<SystemRegisters, 'cs' | 'efer'>): 16 | 32 | 64 {
  if (cs.l && (efer & EFER.LMA) !== 0n) return 64;
  return cs.db ? 32 : 16;
}

/** Whether a selector is a paragraph's number: in real-address and in virtual-8086 mode (SDM 3B 21.1.1). */
export function isRealAddressing({ registers, system }: CpuRegisters): boolean {
  return (system.cr0 & CR0.PE) === 0n || (registers.rflags & RFLAGS.VM) !== 0n;
}
