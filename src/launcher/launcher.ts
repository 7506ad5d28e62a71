import { type BootOptions, boot, type Image } from '../boot/index.js';
import {
  Control,
  type Engine,
  type EngineCounters,
  type EngineCpu,
  type EngineVm,
  type IrqchipName,
  newControl,
} from '../engine/contract/index.js';
import { ConfigError } from '../errors.js';
import { GuestMemory, PAGE_SIZE, type RegionConfig } from '../memory/index.js';
import { Accesses } from './accesses.js';
import { type LauncherCallbacks, stop } from './callbacks.js';
import { type LauncherEnd, type LauncherRunOptions, runCallbacks } from './run.js';

/** The default memory, without `memory` and `slots`: the article's 16 MiB. */
const DEFAULT_MEMORY = 16 * 1024 * 1024;

/** The configuration of a launcher. */
export interface LauncherConfig extends BootOptions {
  engine: Engine;
  /** Bytes of RAM from address 0, a multiple of 4,096. Default 16 MiB, or none where there are `slots`. */
  memory?: number;
  /** Memory ranges at any addresses, with `logDirty` or `readOnly` (`kvm_create_phys_mem`). */
  slots?: readonly RegionConfig[];
  /** The image to run. Without one, copy your kernel into `memory` yourself: the CPU starts at F000:FFF0, address 0xFFFF0. */
  image?: Image;
  callbacks?: LauncherCallbacks;
  /**
   * `kernel`: the engine provides the PC's interrupt controllers, as in LibKVM's VMs. HLT then sleeps inside the engine
   * until an interrupt comes and never ends the run, interrupts go through `setIrq`, and `tprAccess` is reported. Default
   * `none`: interrupts are injected in `tryPushInterrupts`.
   */
  irqchip?: Exclude<IrqchipName, 'user' | 'split'>;
  /** The control block with which other threads can stop the launcher: `controlBytes` of shared memory. */
  control?: Int32Array;
}

/**
 * A virtual machine with callbacks: the launcher of the Linux Journal's article. One CPU, memory, and a function for each
 * request of the guest to its monitor. Synchronous; use it only on the thread that made it.
 *
 * ```ts
 * using launcher = new Launcher({
 *   engine: kvmEngine(),
 *   callbacks: { out8: (port, value) => console.log(`outb: ${port.toString(16)}, ${value}`) },
 * });
 * launcher.memory.writeBytes(0xf0000, readFileSync('kernel2'));
 * const end = launcher.run({ timeoutMs: 1000 });
 * ```
 */
export class Launcher implements Disposable {
  /** The value that a callback returns to end the run. */
  static readonly stop: typeof stop = stop;

  readonly memory: GuestMemory;
  /** The CPU: read and set its state while the guest does not run. */
  readonly cpu: EngineCpu;
  readonly #engine: Engine;
  readonly #vm: EngineVm;
  readonly #callbacks: LauncherCallbacks;
  readonly #accesses: Accesses;
  readonly #control: Int32Array;
  readonly #irqchip: boolean;
  #disposed = false;

  /** @throws ConfigError, ImageError, GuestMemoryError, and the engine's error where it cannot run on this host. */
  constructor(config: LauncherConfig) {
    const { engine, slots = [], callbacks = {}, irqchip = 'none' } = config;
    const memory = config.memory ?? (slots.length === 0 ? DEFAULT_MEMORY : undefined);
    this.#engine = engine;
    this.#callbacks = callbacks;
    this.#irqchip = irqchip === 'kernel';
    this.#accesses = new Accesses(callbacks);
    this.#control = config.control ?? newControl();
    this.memory = GuestMemory.create([
      ...(memory === undefined ? [] : [{ address: 0, size: memory }]),
      ...slots,
    ]);
    const undo: Disposable[] = [this.memory];
    try {
      const state = config.image && boot(this.memory, config.image, placement(config)).state;
      this.#vm = engine.createVm(this.memory, { irqchip });
      undo.push(this.#vm);
      this.cpu = this.#vm.createCpu(this.#control);
      undo.push(this.cpu);
      if (state === undefined) startBelowOneMegabyte(this.cpu);
      else {
        this.cpu.setSystemRegisters(state.system);
        this.cpu.setRegisters(state.registers);
      }
      if (callbacks.tprAccess !== undefined) this.#reportTprAccess();
    } catch (error) {
      for (const resource of undo.reverse()) resource[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Runs the guest until a callback returns `Launcher.stop`, the guest ends, or one of the options ends it, and returns which.
   * Run again to continue from there.
   */
  run(options: LauncherRunOptions = {}): LauncherEnd {
    this.#live();
    if (Atomics.compareExchange(this.#control, Control.running, 0, 1) !== 0) {
      throw new ConfigError('the launcher is running already', 'a callback must not run its own launcher');
    }
    try {
      return runCallbacks(
        {
          cpu: this.cpu,
          callbacks: this.#callbacks,
          accesses: this.#accesses,
          control: this.#control,
          pushesInterrupts: !this.#irqchip,
        },
        options,
      );
    } finally {
      Atomics.store(this.#control, Control.running, 0);
      Atomics.notify(this.#control, Control.running);
    }
  }

  /**
   * The guest physical addresses of the pages of a slot that were written since the last call, lowest first. Slots count
   * from 0 in the order of `memory` and `slots`; the slot must have been made with `logDirty`.
   */
  getDirtyLog(slot: number): number[] {
    this.#live();
    const region = this.memory.regions.find((one) => one.slot === slot);
    if (!region?.logDirty) {
      throw new ConfigError(
        region === undefined ? `there is no memory slot ${slot}` : `memory slot ${slot} keeps no dirty log`,
        'give the slot to the launcher with logDirty: slots: [{ address, size, logDirty: true }]',
      );
    }
    return this.#vm.takeDirtyPages(slot).map((page) => region.address + page * PAGE_SIZE);
  }

  /** Sets the level of interrupt line `irq` of the in-kernel controllers (`irqchip`). */
  setIrq(irq: number, level: boolean): void {
    this.#live();
    if (!this.#irqchip) {
      throw new ConfigError(
        'the launcher has no interrupt controllers',
        "make it with irqchip: 'kernel', or inject vectors in tryPushInterrupts",
      );
    }
    this.#vm.setIrq(irq, level);
  }

  /** The engine's own counters, such as KVM's `io_exits`; `{ vm: [], cpus: [] }` if it has none. */
  counters(): EngineCounters {
    this.#live();
    return this.#vm.readCounters();
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.cpu[Symbol.dispose]();
    this.#vm[Symbol.dispose]();
    this.memory.release(this.#engine.discard(this.memory));
  }

  #reportTprAccess(): void {
    if (!this.#irqchip) {
      throw new ConfigError(
        'tprAccess was given to a launcher without interrupt controllers',
        "the task priority register is the local APIC’s: make the launcher with irqchip: 'kernel'",
      );
    }
    if (!this.#engine.capabilities.tprAccess) throw this.#cannot('reports no TPR accesses');
    this.cpu.reportTprAccess(true);
  }

  #cannot(what: string): ConfigError {
    return new ConfigError(`the engine '${this.#engine.name}' ${what}`, 'use the engine kvm');
  }

  #live(): void {
    if (this.#disposed) throw new ConfigError('the launcher was used after it was disposed');
  }
}

function placement({ mode, load, entry, stack }: LauncherConfig): Parameters<typeof boot>[2] {
  return {
    ...(mode !== undefined && { mode }),
    ...(load !== undefined && { load }),
    ...(entry !== undefined && { entry }),
    ...(stack !== undefined && { stack }),
  };
}

/**
 * A reset sets CS's base to FFFF_0000 and IP to FFF0, sixteen bytes below 4 GiB (SDM 3A table 10-1). The article's kernel is at
 * CS:IP instead, sixteen bytes below 1 MiB, as KVM had it in 2008.
 */
function startBelowOneMegabyte(cpu: EngineCpu): void {
  const system = cpu.getSystemRegisters();
  system.cs.selector = 0xf000;
  system.cs.base = 0xf0000n;
  cpu.setSystemRegisters(system);
  cpu.setRegisters({ ...cpu.getRegisters(), rip: 0xfff0n });
}
