import type { GuestMemory } from '../../memory/index.js';
import { CR0, type SystemRegisters } from '../../x86/index.js';
import type { EngineCpu } from '../contract/index.js';

const OPERAND_SIZE = 0x66;
/** By their numbers in an instruction (SDM 2A table 2-1). */
const numbered = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'] as const;

/**
 * The system registers after a CPU's next instruction, where that is a MOV to CR0 (0F 22 /0) that switches paging on; undefined where
 * it is something else. The CPU is not in long mode, where paging is on.
 */
export function pagingSwitch(cpu: EngineCpu, memory: GuestMemory): SystemRegisters | undefined {
  const system = cpu.getSystemRegisters();
  if (system.cr0 & CR0.PG) return undefined;
  const registers = cpu.getRegisters();
  let at = Number(BigInt.asUintN(32, system.cs.base + registers.rip));
  const byte = () => (memory.contains(at, 1) ? memory.read8(at++) : 0);
  let first = byte();
  if (first === OPERAND_SIZE) first = byte();
  if (first !== 0x0f || byte() !== 0x22) return undefined;
  const modrm = byte();
  if ((modrm >> 3) & 7) return undefined;
  const cr0 = registers[numbered[modrm & 7]!] & 0xffff_ffffn;
  return cr0 & CR0.PG ? { ...system, cr0 } : undefined;
}
