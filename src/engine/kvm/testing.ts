/**
 * Helpers of this room's tests: a small machine in real mode with code at 0x1000, and hand-encoded instructions.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { GuestMemory, type RegionConfig } from '../../memory/index.js';
import { type Exit, ExitKind, exitKindNames, newControl } from '../contract/index.js';
import { type KvmCpu, type KvmVm, kvmEngine } from './index.js';

/** The address of the code; the stack ends here too. */
export const CODE = 0x1000;
/** Bytes of RAM at 0; addresses above are MMIO. */
export const MEMORY = 0x10000;

/** A real-mode segment whose offset 0 is the first byte after RAM. */
export const AFTER_MEMORY = MEMORY >> 4;

/** A reason to skip tests of the real KVM, or false. */
export function noKvm(): string | false {
  try {
    return kvmEngine().device.closed ? 'the KVM device is closed' : false;
  } catch (error) {
    return `KVM cannot be used here: ${(error as Error).message}`;
  }
}

/** Runs to the next exit, which must be of this kind. */
export function expectExit(cpu: KvmCpu, kind: keyof typeof ExitKind): Exit {
  assert.equal(exitKindNames[cpu.run()], kind);
  assert.equal(cpu.exit.kind, ExitKind[kind]);
  return cpu.exit;
}

export interface TestMachine extends Disposable {
  memory: GuestMemory;
  vm: KvmVm;
  cpu: KvmCpu;
  control: Int32Array;
}

export interface TestOptions {
  regions?: RegionConfig[];
  logDirty?: boolean;
  /** Called before the CPU is made. */
  prepare?: (vm: KvmVm) => void;
  rflags?: bigint;
  /** As in `KvmEngineOptions`; default 0. */
  coalesceAfter?: number;
}

/** A machine that starts at 0000:1000 in real mode with the stack below it. */
export function realMode(code: readonly number[], options: TestOptions = {}): TestMachine {
  const { regions = [], logDirty = false, prepare, rflags = 2n, coalesceAfter = 0 } = options;
  const memory = GuestMemory.create([{ address: 0, size: MEMORY, logDirty }, ...regions]);
  memory.writeBytes(CODE, Uint8Array.from(code));
  const vm = kvmEngine({ coalesceAfter }).createVm(memory);
  prepare?.(vm);
  const control = newControl();
  const cpu = vm.createCpu(control);
  const system = cpu.getSystemRegisters();
  for (const name of ['cs', 'ds', 'es', 'ss'] as const) {
    system[name].base = 0n;
    system[name].selector = 0;
  }
  cpu.setSystemRegisters(system);
  cpu.setRegisters({ ...cpu.getRegisters(), rip: BigInt(CODE), rsp: BigInt(CODE), rflags });
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

/** The open file descriptors of this process. */
export function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Mappings of this process that belong to KVM. */
export function kvmMappings(): string[] {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes('kvm'));
}

// Instructions in 16-bit code, by their encodings in SDM 2.
const word = (value: number) => [value & 0xff, value >> 8];
export const asm = {
  hlt: [0xf4],
  sti: [0xfb],
  nop: [0x90],
  cld: [0xfc],
  /** JMP rel8 to itself. */
  spin: [0xeb, 0xfe],
  iret: [0xcf],
  pushAx: [0x50],
  movAl: (value: number) => [0xb0, value],
  movAx: (value: number) => [0xb8, ...word(value)],
  movCx: (value: number) => [0xb9, ...word(value)],
  movDx: (value: number) => [0xba, ...word(value)],
  movDi: (value: number) => [0xbf, ...word(value)],
  movEax: (value: number) => [0x66, 0xb8, ...word(value & 0xffff), ...word(value >>> 16)],
  /** OUT imm8 and IN imm8 with AL, AX or EAX. */
  outAl: (port: number) => [0xe6, port],
  outAx: (port: number) => [0xe7, port],
  outEax: (port: number) => [0x66, 0xe7, port],
  inAl: (port: number) => [0xe4, port],
  inAx: (port: number) => [0xe5, port],
  inEax: (port: number) => [0x66, 0xe5, port],
  repInsb: [0xf3, 0x6c],
  repInsw: [0xf3, 0x6d],
  /** MOV DS, AX */
  movDsAx: [0x8e, 0xd8],
  /** MOV [moffs16], AL and AX; MOV AX, [moffs16] */
  storeAl: (offset: number) => [0xa2, ...word(offset)],
  storeAx: (offset: number) => [0xa3, ...word(offset)],
  storeEax: (offset: number) => [0x66, 0xa3, ...word(offset)],
  loadAx: (offset: number) => [0xa1, ...word(offset)],
} as const;

/**
 * Bytes of heap that each of `rounds` takes: the least of a few runs, because the JIT compiler sometimes allocates its
 * own objects; a run with a garbage collection does not count.
 */
export function bytesEach(rounds: number, run: () => void): number {
  run();
  const runs = Array.from({ length: 7 }, () => {
    const before = process.memoryUsage().heapUsed;
    run();
    return (process.memoryUsage().heapUsed - before) / rounds;
  });
  return Math.min(...runs.filter((bytes) => bytes >= 0));
}
