/**
 * The software engine: Terrarium's own x86 CPU, for hosts without `/dev/kvm`. It does not import Node, so that it also
 * runs in a browser; the caller provides the compiled program, `dist/soft.wasm`.
 *
 * ```ts
 * const engine = softEngine(await WebAssembly.compile(bytes));
 * ```
 *
 * docs/soft-cpu.md describes how it works and what it supports.
 *
 * @module
 */
import { ENGINE_AREA, GuestMemory, type MemoryRegion, PAGE_SIZE, takeBits } from '../../memory/index.js';
import {
  type ApicFeatures,
  type Engine,
  type EngineCapabilities,
  type EngineCounters,
  type EngineVm,
  newControl,
  type VmOptions,
} from '../contract/index.js';
import { NEVER } from './host/clock.js';
import { SoftCpu } from './host/cpu.js';
import { type CpuFeature, type CpuidLeaf, cpuidModel, withApic, writeCpuid } from './host/cpuid.js';
import { SoftError } from './host/errors.js';
import { instantiate, type Program } from './host/program.js';
import { writeResetState } from './host/registers.js';
import { Shared } from './host/shared.js';
import * as L from './layout.js';
import { type TranslateMode, Translator, templatesOf } from './translate/index.js';

export { SoftCpu } from './host/cpu.js';
export { type CpuFeature, type CpuidLeaf, cpuFeatures, cpuidModel } from './host/cpuid.js';
export { SoftError } from './host/errors.js';
export type { TranslateMode } from './translate/index.js';

const HLT = 0xf4;

/** IA32_APIC_BASE: the CPU that starts by itself. */
const BOOTSTRAP = 0x100n;

/**
 * RAM up to this size is cleared for the next VM, and not left to the garbage collector: a few MiB take a millisecond.
 */
const CLEARED = 64 * 1024 * 1024;

/** How the engine translates hot guest code. */
export interface TranslateOptions {
  mode: TranslateMode;
  /** The program's WebAssembly bytes: the translator reads the meaning of each instruction from them. */
  bytes: () => Uint8Array;
}

/**
 * The software engine with its compiled program. Without `translate` it interprets.
 *
 * @param cpuid its CPU's CPUID leaves, and thereby its features; default: all that it supports
 * @param besides features that it has although `cpuid` does not list them
 */
export function softEngine(
  program: WebAssembly.Module,
  cpuid: readonly CpuidLeaf[] = cpuidModel(),
  translate?: TranslateOptions,
  besides: readonly CpuFeature[] = [],
): SoftEngine {
  return new SoftEngine(
    program,
    (view, apic, cpus) => writeCpuid(view, apic === undefined ? cpuid : withApic(cpuid, apic, cpus), besides),
    translate,
  );
}

/** Makes a VM's CPU a certain processor: writes CPUID and the values that follow from it. */
type Identify = (view: DataView, apic: ApicFeatures | undefined, cpus: number) => void;

const capabilities: EngineCapabilities = {
  instructionClock: true,
  exactRip: true,
  irqchip: false,
  counters: false,
  tprAccess: false,
  msrExits: true,
  hostKernel: false,
  freeWriteLog: true,
};

/** See `softEngine`. */
export class SoftEngine implements Engine {
  readonly name = 'soft';
  readonly capabilities = capabilities;
  readonly #program: WebAssembly.Module;
  readonly #identify: Identify;
  readonly #translate: TranslateOptions | undefined;
  readonly #templates: ReturnType<typeof templatesOf> | undefined;
  #warm = false;

  constructor(program: WebAssembly.Module, identify: Identify, translate?: TranslateOptions) {
    this.#program = program;
    this.#identify = identify;
    this.#translate = translate;
    this.#templates = translate === undefined ? undefined : templatesOf(translate.bytes);
  }

  #translator(program: Program, memory: GuestMemory): Translator | undefined {
    if (this.#translate === undefined || this.#translate.mode === 'off') return undefined;
    return new Translator(program, this.#templates!, memory.wasm, this.#translate.mode);
  }

  createVm(memory: GuestMemory, { irqchip = 'none', apic, cpus = 1 }: VmOptions = {}): SoftVm {
    if (irqchip === 'kernel' || irqchip === 'split') {
      throw new SoftError(
        'ELIMIT',
        'the software engine has no interrupt controllers of its own',
        'use those that are devices: --irqchip user',
      );
    }
    const program = instantiate(this.#program, memory.wasm);
    const identify = (view: DataView) => {
      this.#identify(view, apic, cpus);
      view.setUint32(L.APIC_THERE, apic === undefined ? 0 : 1, true);
    };
    return new SoftVm(program, memory, {
      identify,
      cpus,
      translator: () => this.#translator(program, memory),
    });
  }

  /**
   * Runs a HLT: the JIT compiles the interpreter at its first run, which takes milliseconds. Call it to avoid that delay in the
   * middle of a run.
   */
  warmUp(): void {
    if (this.#warm) return;
    this.#warm = true;
    const memory = GuestMemory.create([{ address: 0, size: 4096 }]);
    const vm = this.createVm(memory);
    const cpu = vm.createCpu(newControl());
    const system = cpu.getSystemRegisters();
    memory.writeBytes(0, Uint8Array.of(HLT));
    cpu.setSystemRegisters({ ...system, cs: { ...system.cs, selector: 0, base: 0n } });
    cpu.setRegisters({ ...cpu.getRegisters(), rip: 0n });
    cpu.run();
    vm[Symbol.dispose]();
    memory.release(this.discard(memory));
  }

  /** The CPU checks its control block every few thousand instructions. */
  kick(_control: Int32Array): void {}

  discard(memory: GuestMemory): boolean {
    if (memory.size > CLEARED) return false;
    new Uint8Array(memory.buffer, L.RAM).fill(0);
    return true;
  }
}

/** The parts of a software engine's VM, in addition to its program and memory. */
interface SoftParts {
  identify: (view: DataView) => void;
  translator: () => Translator | undefined;
  cpus: number;
}

/** A VM of the software engine: its CPUs take turns. */
export class SoftVm implements EngineVm {
  readonly #program: Program;
  readonly #memory: GuestMemory;
  readonly #view: DataView;
  readonly #parts: SoftParts;
  #shared: Shared | undefined;
  readonly #cpus: SoftCpu[] = [];
  /** The marks of the pages that were written, and the slots whose marks are requested. */
  readonly #dirty: Int32Array;
  readonly #logs = new Set<number>();

  /** @internal */
  constructor(program: Program, memory: GuestMemory, parts: SoftParts) {
    this.#program = program;
    this.#parts = parts;
    this.#memory = memory;
    this.#view = new DataView(memory.buffer);
    if (memory.regions.length > L.MAX_REGIONS) {
      const hint = `the software engine can hold ${L.MAX_REGIONS}`;
      throw new SoftError('ELIMIT', `the machine has ${memory.regions.length} regions of memory`, hint);
    }
    const { cpus, identify } = parts;
    clearState(this.#view, cpus);
    this.#describe();
    writeResetState(this.#view);
    identify(this.#view);
    program.reset();
    program.setFlags(2);
    program.setSystem();
    for (let cpu = 1; cpu < cpus; cpu++) this.#addCpu(cpu);
    program.selectCpu(0);
    this.#dirty = new Int32Array(memory.buffer, L.DIRTY, L.DIRTY_SIZE / 4);
    for (const { slot, logDirty } of memory.regions) if (logDirty) this.logDirtyPages(slot, true);
  }

  /** Another CPU, in the first one's state after a reset. */
  #addCpu(cpu: number): void {
    const program = this.#program;
    program.selectCpu(0);
    program.cloneCpu(cpu);
    program.selectCpu(cpu);
    program.resetTlb();
    const base = this.#view.getBigUint64(L.APIC_BASE, true);
    this.#view.setBigUint64(L.APIC_BASE, base & ~BOOTSTRAP, true);
    program.setSystem();
  }

  createCpu(control: Int32Array): SoftCpu {
    const { cpus, translator } = this.#parts;
    const index = this.#cpus.length;
    if (index === cpus) {
      const hint = 'say how many there are when the VM is made';
      throw new SoftError('ELIMIT', `the VM was made for ${cpus} CPU${cpus === 1 ? '' : 's'}`, hint);
    }
    this.#shared ??= new Shared(this.#program, this.#view, control, { translator: translator(), cpus });
    const cpu = new SoftCpu(index, this.#shared);
    this.#cpus.push(cpu);
    return cpu;
  }

  /** An exit costs almost nothing here: no write is coalesced. */
  coalesce(): boolean {
    return false;
  }

  uncoalesce(): void {}

  streamPorts(ports: readonly { readonly first: number; readonly last: number }[]): void {
    // Further ports get their elements one by one.
    const known = ports.slice(0, L.MAX_STREAMS);
    this.#view.setUint32(L.STREAM_COUNT, known.length, true);
    for (const [n, { first, last }] of known.entries()) {
      this.#view.setUint16(L.STREAMS + 4 * n, first, true);
      this.#view.setUint16(L.STREAMS + 4 * n + 2, last, true);
    }
  }

  setIrq(): void {
    throw new SoftError(
      'ELIMIT',
      'the software engine has no interrupt lines of its own',
      'use --irqchip user',
    );
  }

  signalMessage(): boolean {
    return false;
  }

  logDirtyPages(slot: number, on: boolean): void {
    this.#region(slot);
    this.#logs.delete(slot);
    if (on) {
      this.#logs.add(slot);
      this.takeDirtyPages(slot);
    }
    this.#view.setUint32(L.LOGS_WRITES, this.#logs.size, true);
    this.#program.guardPages();
  }

  takeDirtyPages(slot: number): number[] {
    const { offset, capacity } = this.#region(slot);
    if (!this.#logs.has(slot))
      throw new SoftError('ENOLOG', `memory slot ${slot} keeps no dirty log`, 'call logDirtyPages first');
    const first = (offset - ENGINE_AREA) / PAGE_SIZE;
    const pages = takeBits(this.#dirty, first, capacity / PAGE_SIZE);
    if (pages.length === 0) return pages;
    // The next write to each of these pages must be seen again.
    this.#program.guardPages();
    return pages.map((page) => page - first);
  }

  #region(slot: number): MemoryRegion {
    const region = this.#memory.regions.find((one) => one.slot === slot);
    if (region === undefined)
      throw new SoftError('ENOSLOT', `the VM has no memory slot ${slot}`, 'slots count from 0');
    return region;
  }

  readCounters(): EngineCounters {
    return { vm: [], cpus: [] };
  }

  [Symbol.dispose](): void {
    for (const cpu of this.#cpus) cpu[Symbol.dispose]();
  }

  /** Rewrites the whole table; a region of 0 bytes contains no address. */
  remapRegion(_slot: number): void {
    this.#describe();
    this.#program.flushAll();
  }

  #describe(): void {
    const view = this.#view;
    const { regions } = this.#memory;
    view.setUint32(L.REGION_COUNT, regions.length, true);
    for (const [index, { address, size, offset, readOnly }] of regions.entries()) {
      const at = L.REGIONS + index * L.REGION_SIZE;
      view.setBigUint64(at, BigInt(address), true);
      view.setBigUint64(at + 8, BigInt(size), true);
      view.setUint32(at + 16, offset, true);
      view.setUint32(at + 20, readOnly ? 1 : 0, true);
    }
    view.setUint32(L.MEMORY_PAGES, Math.ceil((view.byteLength - L.RAM) / 4096), true);
  }
}

/** The memory may have belonged to another VM before: its CPU's state must not be visible. */
function clearState(view: DataView, cpus: number): void {
  new Uint8Array(view.buffer, view.byteOffset, L.STATIC_DATA).fill(0);
  new Uint8Array(view.buffer, view.byteOffset + L.TLB_NOW, L.CPUID_TABLE - L.TLB_NOW).fill(0);
  new Uint8Array(view.buffer, view.byteOffset + L.FAULT_COUNT, L.FAULTS - L.FAULT_COUNT).fill(0);
  view.setUint32(L.HOT_HEAT, 0, true);
  view.setUint32(L.STREAM_COUNT, 0, true);
  view.setUint32(L.LATE_SIZE, 0, true);
  view.setBigInt64(L.LATE_AT, NEVER, true);
  view.setInt32(L.PENDING_VECTOR, -1, true);
  view.setInt32(L.PENDING_EXCEPTION, -1, true);
  view.setBigInt64(L.ALARM, NEVER, true);
  view.setUint32(L.CPU_COUNT, cpus, true);
  // A single CPU needs no area.
  view.setUint32(L.POOL_LIMIT, L.POOL_END - (cpus === 1 ? 0 : cpus * L.CPU_AREA), true);
}
