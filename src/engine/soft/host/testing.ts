/**
 * What the tests of this room share: a small machine in real mode with code at 0x1000.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { GuestMemory, type RegionConfig } from '../../../memory/index.js';
import { newControl } from '../../contract/index.js';
import { type SoftCpu, softEngine } from '../index.js';

/** Where the code lies; the stack ends here too. */
export const CODE = 0x1000;
/** Bytes of RAM at 0; what lies behind is MMIO. */
export const MEMORY = 0x10000;

let program: WebAssembly.Module | undefined;

/** The compiled program, as the build leaves it. */
export function softProgram(): WebAssembly.Module {
  program ??= new WebAssembly.Module(readFileSync(path.resolve('dist/soft.wasm')));
  return program;
}

export interface TestMachine extends Disposable {
  memory: GuestMemory;
  cpu: SoftCpu;
  control: Int32Array;
}

/** A machine that starts at 0000:1000 in real mode with the stack below it. */
export function realMode(code: readonly number[], regions: RegionConfig[] = []): TestMachine {
  const memory = GuestMemory.create([{ address: 0, size: MEMORY }, ...regions]);
  memory.writeBytes(CODE, Uint8Array.from(code));
  const vm = softEngine(softProgram()).createVm(memory);
  const control = newControl();
  const cpu = vm.createCpu(control);
  const system = cpu.getSystemRegisters();
  system.cs.base = 0n;
  system.cs.selector = 0;
  cpu.setSystemRegisters(system);
  cpu.setRegisters({ ...cpu.getRegisters(), rip: BigInt(CODE), rsp: BigInt(CODE), rflags: 2n });
  return {
    memory,
    cpu,
    control,
    [Symbol.dispose]() {
      vm[Symbol.dispose]();
      memory.release(false);
    },
  };
}
