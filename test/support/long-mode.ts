/**
 * A machine in long mode whose ring 3 runs one instruction at a time: with TF set it ends in #DB, or in an exception of
 * its own. On KVM without VMX or SVM the real processor runs ring 3.
 */
import { type Engine, type EngineCpu, ExitKind, newControl } from '../../src/engine/contract/index.js';
import { GuestMemory } from '../../src/memory/index.js';
import type { Registers, SystemRegisters } from '../../src/x86/index.js';

/** The page of code, and the page after it, so that instructions can cross the end of the first. */
export const CODE = 0x40000;
/** Pages of ring 3: read and write, then a hole, a read-only one, a hole, a supervisor page, a hole. */
export const DATA = 0x50000;
export const DATA_SIZE = 0x4000;
export const READ_ONLY = DATA + 0x5000;
export const SUPERVISOR = DATA + 0x7000;
/** Not mapped. */
export const HOLE = DATA + 0x8000;

const MEMORY = 0x60000;
const GDT = 0x1000;
const IDT = 0x2000;
const TSS = 0x3000;
const HANDLERS = 0x4000;
const STACK = 0x8000;
export const TABLES = 0x10000;
const KERNEL_CODE = 0x08;
const KERNEL_DATA = 0x10;
const USER_DATA = 0x1b;
const USER_CODE = 0x23;
const TASK = 0x28;

/** Exceptions that push an error code (SDM 3A table 7-1). */
const withCode = new Set([8, 10, 11, 12, 13, 14, 17]);

export const general = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
] as const;

/** The result of an instruction. */
export interface Result {
  /** The exception that ended it: 1 where it completed. */
  vector: number;
  /** The error code, and CR2 of a page fault. */
  code: bigint;
  cr2: bigint;
  /** As in ring 3: with RIP, RSP and RFLAGS of the exception's frame. */
  registers: Registers;
}

function describe(memory: GuestMemory): void {
  const descriptor = (selector: number, low: number, high: number) => {
    memory.write32(GDT + (selector & ~7), low);
    memory.write32(GDT + (selector & ~7) + 4, high);
  };
  descriptor(KERNEL_CODE, 0xffff, 0x00af9b00);
  descriptor(KERNEL_DATA, 0xffff, 0x00cf9300);
  descriptor(USER_DATA, 0xffff, 0x00cff300);
  descriptor(USER_CODE, 0xffff, 0x00affb00);
  descriptor(TASK, ((TSS & 0xffff) << 16) | 103, 0x8b00);
  memory.write32(TSS + 4, STACK);
  memory.write32(TSS + 100, 104 << 16);
  memory.view(HANDLERS, 0x1000).fill(0xf4);
  for (let vector = 0; vector < 256; vector++) {
    // A gate for ring 0 to its own HLT, 16 bytes from the next.
    memory.write32(IDT + 16 * vector, (KERNEL_CODE << 16) | (HANDLERS + 16 * vector));
    memory.write32(IDT + 16 * vector + 4, 0x8e00);
  }
  const [present, write, user] = [1, 2, 4];
  const all = present | write | user;
  memory.write32(TABLES, (TABLES + 0x1000) | all);
  memory.write32(TABLES + 0x1000, (TABLES + 0x2000) | all);
  memory.write32(TABLES + 0x2000, (TABLES + 0x3000) | all);
  const map = (address: number, rights: number) =>
    memory.write32(TABLES + 0x3000 + (address >> 12) * 8, address | rights | 0x60);
  for (let page = 0; page < MEMORY; page += 0x1000) map(page, present | write);
  for (let page = 0; page < 0x2000; page += 0x1000) map(CODE + page, all);
  for (let page = 0; page < 0x9000; page += 0x1000) map(DATA + page, 0);
  for (let page = 0; page < DATA_SIZE; page += 0x1000) map(DATA + page, all);
  map(READ_ONLY, present | user);
  map(SUPERVISOR, present | write);
}

/** One engine's machine. */
export class LongModeSide implements Disposable {
  readonly memory = GuestMemory.create([{ address: 0, size: MEMORY }]);
  readonly cpu: EngineCpu;
  readonly #vm;

  constructor(engine: Engine) {
    this.#vm = engine.createVm(this.memory);
    this.cpu = this.#vm.createCpu(newControl());
    describe(this.memory);
    this.enter();
  }

  /** Goes to a ring, from any state after the last instruction. `change` modifies the initial state. */
  enter(ring: 0 | 3 = 3, change?: (system: SystemRegisters) => void): void {
    const system = this.cpu.getSystemRegisters();
    const flat = {
      base: 0n,
      limit: 0xffffffff,
      present: true,
      s: true,
      g: true,
      avl: false,
      unusable: false,
    };
    const data = { ...flat, selector: USER_DATA, type: 3, dpl: 3, db: true, l: false };
    Object.assign(system, { ds: data, es: data, fs: data, gs: data, ss: data });
    system.cs = { ...flat, selector: USER_CODE, type: 11, dpl: 3, db: false, l: true };
    const task = {
      ...flat,
      selector: TASK,
      base: BigInt(TSS),
      limit: 103,
      type: 11,
      dpl: 0,
      s: false,
      g: false,
    };
    system.tr = { ...task, db: false, l: false };
    system.gdt = { base: BigInt(GDT), limit: 0x37 };
    system.idt = { base: BigInt(IDT), limit: 0xfff };
    Object.assign(system, { cr0: 0x80010033n, cr3: BigInt(TABLES), cr4: 0x20n, efer: 0x500n });
    if (ring === 0) {
      for (const name of ['ds', 'es', 'fs', 'gs', 'ss'] as const) {
        system[name] = { ...data, selector: KERNEL_DATA, dpl: 0 };
      }
      system.cs = { ...system.cs, selector: KERNEL_CODE, dpl: 0 };
    }
    change?.(system);
    this.cpu.setSystemRegisters(system);
  }

  /** Runs one instruction; undefined where the engine gave up on it. */
  run(registers: Registers, ring: 0 | 3 = 3, change?: (system: SystemRegisters) => void): Result | undefined {
    this.enter(ring, change);
    this.cpu.setRegisters({ ...registers, rflags: registers.rflags | 0x100n });
    this.cpu.setTimer(100, 0);
    const kind = this.cpu.run();
    this.cpu.setTimer(0, 0);
    if (kind !== ExitKind.halt) return undefined;
    const after = this.cpu.getRegisters();
    const vector = Number((after.rip - BigInt(HANDLERS)) >> 4n);
    let at = Number(after.rsp);
    const code = withCode.has(vector) ? this.memory.read64(at) : 0n;
    if (withCode.has(vector)) at += 8;
    const cr2 = vector === 14 ? this.cpu.getSystemRegisters().cr2 : 0n;
    return {
      vector,
      code,
      cr2,
      registers: {
        ...after,
        rip: this.memory.read64(at),
        rflags: this.memory.read64(at + 16),
        rsp: this.memory.read64(at + 24),
      },
    };
  }

  [Symbol.dispose](): void {
    this.#vm[Symbol.dispose]();
    this.memory.release(false);
  }
}
