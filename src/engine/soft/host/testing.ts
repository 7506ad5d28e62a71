/**
 * Helpers for this room's tests: small machines in real and in protected mode with code at 0x1000.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { GuestMemory, type RegionConfig } from '../../../memory/index.js';
import type { Segment } from '../../../x86/index.js';
import { exitKindNames, newControl } from '../../contract/index.js';
import { type SoftCpu, type SoftVm, softEngine } from '../index.js';

/** The address of the code; the stack ends here too. */
export const CODE = 0x1000;
/** Bytes of RAM at 0; addresses above are MMIO. */
export const MEMORY = 0x10000;

let program: WebAssembly.Module | undefined;

/** The compiled program from the build. */
export function softProgram(): WebAssembly.Module {
  program ??= new WebAssembly.Module(readFileSync(path.resolve('dist/soft.wasm')));
  return program;
}

export interface TestMachine extends Disposable {
  memory: GuestMemory;
  cpu: SoftCpu;
  control: Int32Array;
  vm: SoftVm;
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
    vm,
    [Symbol.dispose]() {
      vm[Symbol.dispose]();
      memory.release(false);
    },
  };
}

export const HLT = 0xf4;
/** The address of protected mode's handlers: each is a HLT, by vector. */
export const HANDLERS = 0x3000;
/** The start of the stacks of the code and of its exceptions. */
export const STACK = 0x8000;
const KERNEL_STACK = 0x7000;
const GDT = 0x2000;
const IDT = 0x2100;
const TSS = 0x6000;

/** A segment of 4 GiB: by default code of ring 0. */
export const flat: Segment = {
  selector: 8,
  base: 0n,
  limit: 0xffffffff,
  type: 11,
  s: true,
  dpl: 0,
  present: true,
  avl: false,
  l: false,
  db: true,
  g: true,
  unusable: false,
};

/** A machine in 32-bit protected mode, whose exceptions halt at HANDLERS + vector; `data` is DS. */
export function protectedMode(
  code: readonly number[],
  data: Partial<Segment> = {},
  ring: 0 | 3 = 0,
): TestMachine {
  const machine = realMode(code);
  const { cpu, memory } = machine;
  const [codeSelector, dataSelector] = ring === 0 ? [0x08, 0x10] : [0x1b, 0x23];
  const writable = { ...flat, selector: dataSelector, type: 3, dpl: ring };
  // Code and data of both rings, flat, and a task (SDM 3A figures 3-8 and 9-3).
  for (const [n, access] of [0x9b, 0x93, 0xfb, 0xf3].entries()) {
    memory.writeBytes(GDT + 8 * (n + 1), Uint8Array.of(0xff, 0xff, 0, 0, 0, access, 0xcf, 0));
  }
  memory.writeBytes(GDT + 0x28, Uint8Array.of(103, 0, TSS & 255, TSS >> 8, 0, 0x8b, 0, 0));
  memory.write32(TSS + 4, KERNEL_STACK);
  memory.write32(TSS + 8, 0x10);
  for (let vector = 0; vector < 32; vector++) {
    const handler = HANDLERS + vector;
    memory.writeBytes(IDT + vector * 8, Uint8Array.of(handler & 255, handler >> 8, 8, 0, 0, 0x8e, 0, 0));
    memory.write8(handler, HLT);
  }
  const system = cpu.getSystemRegisters();
  system.cr0 |= 1n;
  system.cs = { ...flat, selector: codeSelector, dpl: ring };
  for (const name of ['ss', 'es', 'fs', 'gs'] as const) system[name] = writable;
  system.ds = { ...writable, ...data };
  system.gdt = { base: BigInt(GDT), limit: 0x2f };
  system.idt = { base: BigInt(IDT), limit: 0xff };
  system.tr = { ...flat, selector: 0x28, base: BigInt(TSS), limit: 103, s: false, g: false };
  cpu.setSystemRegisters(system);
  cpu.setRegisters({ ...cpu.getRegisters(), rip: BigInt(CODE), rsp: BigInt(STACK), rflags: 2n });
  return machine;
}

/** The vector of the exception that protected mode's code ends with, or none; and the error code on the stack. */
export function outcome({ cpu, memory }: TestMachine): string {
  assert.equal(exitKindNames[cpu.run()], 'halt');
  const { rip, rsp } = cpu.getRegisters();
  const vector = Number(rip) - HANDLERS - 1;
  if (vector < 0 || vector > 31) return 'none';
  return vector >= 10 && vector <= 14 ? `${vector}(${memory.read32(Number(rsp))})` : `${vector}`;
}
