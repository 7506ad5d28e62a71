import { type Registers, registerNames } from '../contract.js';
import { kvm_regs } from './layout.js';

/** Reads `struct kvm_regs`, which lies at byte `base`. */
export function decodeRegisters(view: DataView, base = 0): Registers {
  const registers = {} as Registers;
  for (const name of registerNames) registers[name] = view.getBigUint64(base + kvm_regs[name], true);
  return registers;
}

/** Writes `struct kvm_regs`. */
export function encodeRegisters(view: DataView, registers: Registers, base = 0): void {
  for (const name of registerNames) view.setBigUint64(base + kvm_regs[name], registers[name], true);
}
