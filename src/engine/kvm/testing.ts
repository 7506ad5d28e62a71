/**
 * What the tests of this room share: a small machine in real mode with code at 0x1000, and instructions by hand.
 *
 * @module
 */

import { GuestMemory, type RegionConfig } from '../../memory/index.js';
import { Control, controlBytes } from '../contract.js';
import { openFailed } from './errors.js';
import { type KvmCpu, type KvmVm, kvmEngine } from './index.js';

export const CODE = 0x1000;
export const MEMORY = 0x10000;

/** A reason to skip tests of the real KVM, or false. */
export function noKvm(): string | false {
  try {
    kvmEngine().device;
    return false;
  } catch (error) {
    return `no usable KVM: ${(error as Error).message}`;
  }
}

export interface TestMachine extends Disposable {
  memory: GuestMemory;
  vm: KvmVm;
  cpu: KvmCpu;
  control: Int32Array;
}

export interface TestOptions {
  regions?: RegionConfig[];
  /** Called before the CPU is made. */
  prepare?: (vm: KvmVm) => void;
}

/** A machine that starts at 0000:1000 in real mode with the stack below it. */
export function realMode(code: readonly number[], options: TestOptions = {}): TestMachine {
  const memory = GuestMemory.create([{ address: 0, size: MEMORY }, ...(options.regions ?? [])]);
  memory.writeBytes(CODE, Uint8Array.from(code));
  const vm = kvmEngine().createVm(memory);
  options.prepare?.(vm);
  const control = new Int32Array(new SharedArrayBuffer(controlBytes));
  const cpu = vm.createCpu(control);
  const system = cpu.getSystemRegisters();
  for (const name of ['cs', 'ds', 'es', 'ss'] as const) {
    system[name].base = 0n;
    system[name].selector = 0;
  }
  cpu.setSystemRegisters(system);
  cpu.setRegisters({ ...cpu.getRegisters(), rip: BigInt(CODE), rsp: BigInt(CODE), rflags: 2n });
  return {
    memory,
    vm,
    cpu,
    control,
    [Symbol.dispose]() {
      vm[Symbol.dispose]();
      memory.release(kvmEngine().discard(memory));
    },
  };
}

// Instructions in 16-bit code (SDM 2).
export const hlt = 0xf4;
/** OUT imm8, AL */
export const out8 = (port: number) => [0xe6, port];
