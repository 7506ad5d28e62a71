import { type Registers, registerNames } from '../../../x86/index.js';
import { kvm_regs } from './layout.js';

/** Reads `struct kvm_regs` at byte `base`. */
export function decodeRegisters(view: DataView, base = 0): Registers {
  const register = (offset: number) => view.getBigUint64(base + offset, true);
  return {
    rax: register(kvm_regs.rax),
    rcx: register(kvm_regs.rcx),
    rdx: register(kvm_regs.rdx),
    rbx: register(kvm_regs.rbx),
    rsp: register(kvm_regs.rsp),
    rbp: register(kvm_regs.rbp),
    rsi: register(kvm_regs.rsi),
    rdi: register(kvm_regs.rdi),
    r8: register(kvm_regs.r8),
    r9: register(kvm_regs.r9),
    r10: register(kvm_regs.r10),
    r11: register(kvm_regs.r11),
    r12: register(kvm_regs.r12),
    r13: register(kvm_regs.r13),
    r14: register(kvm_regs.r14),
    r15: register(kvm_regs.r15),
    rip: register(kvm_regs.rip),
    rflags: register(kvm_regs.rflags),
  };
}

/** Writes `struct kvm_regs`. */
export function encodeRegisters(view: DataView, registers: Registers, base = 0): void {
  for (const name of registerNames) view.setBigUint64(base + kvm_regs[name], registers[name], true);
}
