/**
 * Assistance for an engine that gives up on an instruction: another engine's CPU executes it, on the same memory.
 *
 * KVM emulates code that a host's processor cannot run in the guest's mode, and does not support every instruction; where it
 * gives up (KVM_EXIT_INTERNAL_ERROR) the software CPU continues from that state, and KVM after it.
 *
 * ```ts
 * const engine = assisted(kvmEngine({ failuresLeave: true }), () => softEngine(program));
 * ```
 *
 * @module
 */
import type { GuestMemory } from '../../memory/index.js';
import {
  type DryRun,
  type Engine,
  type EngineCounters,
  type EngineCpu,
  type EngineVm,
  type InterruptMessage,
  type IrqchipName,
  newControl,
  type VmOptions,
} from '../contract/index.js';
import { AssistedCpu } from './cpu.js';
import type { AssistOptions, Helper } from './helper.js';
import { pagingSwitch } from './paging-switch.js';
import { type CopyCpu, replayShutdown, runOnCopy } from './replay.js';

export { AssistedCpu } from './cpu.js';

/** An engine whose CPUs can assist. */
export interface AssistEngine {
  /** Does the work that would delay the first instruction. */
  warmUp(): void;
  createVm(
    memory: GuestMemory,
  ): Pick<EngineVm, 'remapRegion' | 'logDirtyPages' | 'takeDirtyPages'> &
    Disposable & { createCpu(control: Int32Array): Helper };
  /** See `Engine.discard`. */
  discard(memory: GuestMemory): boolean;
}

/** A CPU of `engine` on a copy of a machine's memory. */
function cpuOn(engine: AssistEngine, copy: GuestMemory): CopyCpu {
  const vm = engine.createVm(copy);
  return {
    cpu: vm.createCpu(newControl()),
    [Symbol.dispose]() {
      vm[Symbol.dispose]();
      copy.release(engine.discard(copy));
    },
  };
}

/** Runs a CPU's next instruction on a copy of the memory; undefined where that is not possible. Changes nothing. */
export function dryRun(cpu: EngineCpu, memory: GuestMemory, helper: AssistEngine): DryRun | undefined {
  return runOnCopy({ cpu, memory, interrupt: undefined }, (copy) => cpuOn(helper, copy));
}

/** `engine`, assisted by the engine that `helper` makes when it is first needed. */
export function assisted(engine: Engine, helper: () => AssistEngine): Engine {
  return {
    name: engine.name,
    capabilities: engine.capabilities,
    createVm: (memory: GuestMemory, options?: VmOptions) =>
      // Several CPUs run at the same time: a helper cannot replace one of them.
      (options?.cpus ?? 1) > 1
        ? engine.createVm(memory, options)
        : new AssistedVm(
            engine.createVm(memory, options),
            options?.irqchip ?? 'none',
            () => {
              const other = helper();
              other.warmUp();
              return other.createVm(memory);
            },
            {
              replay: (cpu, interrupt) =>
                replayShutdown({ cpu, memory, interrupt }, (copy) => cpuOn(helper(), copy)),
              nextPaging: (cpu) => pagingSwitch(cpu, memory),
            },
          ),
    kick: (control) => engine.kick(control),
    discard: (memory) => engine.discard(memory),
  };
}

class AssistedVm implements EngineVm {
  readonly #inner: EngineVm;
  readonly #irqchip: IrqchipName;
  readonly #looks: Pick<AssistOptions, 'replay' | 'nextPaging'>;
  readonly #makeHelper: () => ReturnType<AssistEngine['createVm']>;
  readonly #helpers: ReturnType<AssistEngine['createVm']>[] = [];
  /** The regions whose log began after the VM was made, and those whose log ended. */
  readonly #logs = new Map<number, boolean>();

  constructor(
    inner: EngineVm,
    irqchip: IrqchipName,
    makeHelper: () => ReturnType<AssistEngine['createVm']>,
    looks: Pick<AssistOptions, 'replay' | 'nextPaging'>,
  ) {
    this.#looks = looks;
    this.#inner = inner;
    this.#irqchip = irqchip;
    this.#makeHelper = makeHelper;
  }

  createCpu(control: Int32Array): EngineCpu {
    const makeHelper = () => {
      const vm = this.#makeHelper();
      for (const [slot, on] of this.#logs) vm.logDirtyPages(slot, on);
      this.#helpers.push(vm);
      return vm.createCpu(control);
    };
    return new AssistedCpu(this.#inner.createCpu(control), makeHelper, control, {
      irqchip: this.#irqchip,
      ...this.#looks,
    });
  }

  coalesce(space: 'port' | 'memory', address: number, length: number): boolean {
    return this.#inner.coalesce(space, address, length);
  }

  uncoalesce(space: 'port' | 'memory', address: number, length: number): void {
    this.#inner.uncoalesce(space, address, length);
  }

  setIrq(irq: number, level: boolean): void {
    this.#inner.setIrq(irq, level);
  }

  signalMessage(address: number, data: number): boolean {
    return this.#inner.signalMessage(address, data);
  }

  watchEnds(messages: readonly InterruptMessage[]): void {
    this.#inner.watchEnds?.(messages);
  }

  logDirtyPages(slot: number, on: boolean): void {
    this.#inner.logDirtyPages(slot, on);
    this.#logs.set(slot, on);
    for (const helper of this.#helpers) helper.logDirtyPages(slot, on);
  }

  /** Includes the helper's writes, which the engine does not see. */
  takeDirtyPages(slot: number): number[] {
    const pages = this.#inner.takeDirtyPages(slot);
    const others = this.#helpers.flatMap((helper) => helper.takeDirtyPages(slot));
    return others.length === 0 ? pages : [...new Set([...pages, ...others])].sort((a, b) => a - b);
  }

  readCounters(): EngineCounters {
    return this.#inner.readCounters();
  }

  remapRegion(slot: number): void {
    this.#inner.remapRegion(slot);
    for (const helper of this.#helpers) helper.remapRegion(slot);
  }

  [Symbol.dispose](): void {
    this.#inner[Symbol.dispose]();
    for (const helper of this.#helpers) helper[Symbol.dispose]();
  }
}
