import { type BootOptions, type BootPlan, boot, type Image } from '../boot/index.js';
import type { Device, Glance, Picture, Screen } from '../devices/contract/index.js';
import {
  type ApicFeatures,
  Control,
  type Engine,
  type EngineCounters,
  type EngineCpu,
  type EngineVm,
  type IrqchipName,
  newControl,
} from '../engine/contract/index.js';
import { ConfigError } from '../errors.js';
import { GuestMemory, type RegionConfig } from '../memory/index.js';
import { AlarmClock } from '../time/index.js';
import { Bus } from './bus/bus.js';
import { Coalescing } from './bus/coalescing.js';
import { FirmwareBus } from './bus/firmware-bus.js';
import { DeviceMemory, ramAround } from './bus/memory-map.js';
import type { Outcome } from './cpus/outcome.js';
import { TICK_MS } from './cpus/pace.js';
import { type Ending, type ExitObserver, type Runnable, type RunOptions, runLoop } from './cpus/run-loop.js';
import type { Several } from './cpus/several.js';
import { CycleTime, DEFAULT_IPS, HostTime } from './cpus/time.js';
import { Together } from './cpus/together.js';
import { type TurnOptions, Turns } from './cpus/turns.js';
import { Wires } from './cpus/wires.js';
import { type Lender, LentHost } from './device-host.js';
import { Inputs, type InputsOptions } from './inputs/index.js';
import { engineChips, Interrupts } from './interrupts/interrupts.js';
import { loadMachine, type MachineState, saveMachine, WrittenPages } from './snapshot/index.js';

/** The default memory of a machine: 16 MiB. */
export const DEFAULT_MEMORY = 16 * 1024 * 1024;

/** See `MachineConfig.clock`. */
export const clockNames = ['instructions', 'paced', 'wall'] as const;
export type ClockName = (typeof clockNames)[number];

/** The configuration of a machine. */
export interface MachineConfig extends BootOptions {
  engine: Engine;
  /** The image, from `parseImage`. Without one the machine starts with empty memory. */
  image: Image;
  /** Bytes of RAM from address 0, a multiple of 4,096. Default 16 MiB. */
  memory?: number;
  /** How many CPUs there are. All but the first wait for a start-up interrupt of a local APIC. Default 1. */
  cpus?: number;
  /** How several CPUs take turns, on an engine whose CPUs do. */
  turns?: TurnOptions;
  /** Places the image and determines its start, instead of `boot`: firmware that has started already. */
  start?: (memory: GuestMemory) => BootPlan;
  /** More regions of memory: read-only, with a dirty log, at other addresses. */
  regions?: readonly RegionConfig[];
  devices?: readonly Device[];
  /** Let the engine coalesce writes where devices allow it (see `PortRange.coalesce`). Default true. */
  coalesce?: boolean;
  /**
   * Where the devices' interrupt lines lead: to those of `devices` that are interrupt controllers (`user`), to such ones before
   * local APICs of the engine's own (`split`), to the engine's own (`kernel`), or nowhere (`none`): then HLT ends the run. Default:
   * `user` where one of the devices is a controller.
   */
  irqchip?: IrqchipName;
  /** The local APICs are among the devices: CPUs report that they have one. */
  apic?: boolean;
  /**
   * The machine's time: the CPU's own clock (`instructions`), or wall-clock time. Default: the CPU's own where it has one, which makes runs
   * repeatable; a guest that waits for a person needs wall-clock time. `paced`: the CPU's own while it runs, and wall-clock time while it
   * sleeps, so that a guest that waits for the host does not spin. Without a CPU clock that is wall-clock time.
   */
  clock?: ClockName;
  /**
   * Instructions a second, where the machine's time is the CPU's own: a multiple of 1,000, at most 10^9. Default 100 million.
   */
  ips?: number;
  /** The seed of random numbers where the machine's time is the CPU's own. Default 0. */
  seed?: number;
  /** The listener for all inputs from outside, or the record of an earlier run to replay; see `Inputs`. */
  inputs?: Pick<InputsOptions, 'listener' | 'replay'>;
  observer?: ExitObserver;
  /**
   * Logs writes as `logWrites` does, from the machine's creation on, so that the cost of saving and `load` depends on the written pages.
   * Default: where the engine does so at no cost.
   */
  logged?: boolean;
  /** The control block with which other threads can stop the machine: `controlBytes` of shared memory. */
  control?: Int32Array;
}

/**
 * A machine: RAM, CPUs, and devices on a bus. It is synchronous and belongs to the thread that made it.
 *
 * ```ts
 * using machine = new Machine({ engine: kvmEngine(), image: parseImage(bytes, 'kernel'), devices: [device] });
 * const outcome = machine.run({ timeoutMs: 1000 });
 * ```
 */
export class Machine implements Runnable, Disposable {
  readonly engine: Engine;
  readonly memory: GuestMemory;
  readonly bus = new Bus();
  readonly devices: readonly Device[];
  /** How the guest was placed: its mode, entry and stack. */
  readonly boot: BootPlan;
  readonly cpus: readonly EngineCpu[];
  readonly control: Int32Array;
  /** The machine's clock, in nanoseconds for which it has run: by the CPU's own clock, or by the host's. */
  readonly clock: AlarmClock;
  /** The CPU's own time; undefined where the machine's time is the host's. */
  readonly cycleTime: CycleTime | undefined;
  /** See `MachineConfig.clock`. */
  readonly sleepsInWallTime: boolean;
  /** The gate for all inputs from outside. */
  readonly inputs: Inputs;
  readonly observer: ExitObserver | undefined;
  readonly interrupts: Interrupts;
  /** How several CPUs run; undefined where there is one. @internal */
  readonly several: Several | undefined;
  /** The same where they take turns. @internal */
  readonly turns: Turns | undefined;
  /** @internal */
  readonly wires: readonly Wires[];
  /** The CPU that left its guest last, and whose registers a reader wants. */
  current = 0;
  /** Set by a device that ends the run. */
  ending: Ending | undefined;
  /** @internal */
  sleeps = false;
  /** Exits so far, of all runs. */
  exits = 0;
  /**
   * A run repeats a known part: its exits are not observed, and a PC's consoles print nothing. For going back in time.
   */
  quiet = false;
  /** @internal */
  readonly writtenPages: WrittenPages;
  readonly #vm: EngineVm;
  #coalescing: Coalescing | undefined;
  #disposed = false;
  #screen: Screen | undefined;
  readonly #hostTime = new HostTime();

  constructor(config: MachineConfig) {
    const { engine, devices = [], memory: size = DEFAULT_MEMORY, regions = [] } = config;
    this.engine = engine;
    this.devices = devices;
    const { observer } = config;
    this.observer = observer;
    if (observer?.access !== undefined)
      this.bus.listener = {
        access: (device, access, offset) => {
          if (!this.quiet) observer.access?.(device, access, offset);
        },
      };
    const controllers = devices.flatMap(({ controller }) => (controller === undefined ? [] : [controller]));
    const irqchip = config.irqchip ?? (controllers.length > 0 ? 'user' : 'none');
    this.control = config.control ?? newControl();
    for (const [index, device] of devices.entries()) this.#addDevice(device, index);
    const undo: Disposable[] = [];
    try {
      const own = new DeviceMemory(devices);
      this.memory = GuestMemory.create([...ramAround(size, own.windowRanges), ...regions, ...own.configs]);
      undo.push(this.memory);
      const { logged = engine.capabilities.freeWriteLog } = config;
      if (logged) this.memory.hostWrites.log(true);
      this.boot = config.start?.(this.memory) ?? boot(this.memory, config.image, config);
      this.#vm = engine.createVm(this.memory, {
        irqchip,
        cpus: config.cpus ?? 1,
        ...(config.apic && { apic: apicFeatures(config) }),
      });
      undo.push(this.#vm);
      this.writtenPages = new WrittenPages(this.memory, this.#vm);
      const cpus: EngineCpu[] = [];
      this.cpus = cpus;
      for (let left = config.cpus ?? 1; left > 0; left--) {
        cpus.push(this.#vm.createCpu(this.control));
        undo.push(cpus.at(-1)!);
      }
      const cycleTime = chooseTime(config, this.cpu, engine);
      this.cycleTime = cycleTime;
      this.sleepsInWallTime = config.clock === 'paced';
      this.several = this.#together() ?? this.#makeTurns(config);
      this.turns = this.several instanceof Turns ? this.several : undefined;
      this.wires = this.cpus.map((cpu) => new Wires(cpu, cycleTime, this.several));
      const now = cycleTime === undefined ? () => this.#hostTime.now() : () => cycleTime.now();
      this.clock = new AlarmClock(now);
      this.inputs = new Inputs({
        ...config.inputs,
        ...(config.seed !== undefined && { seed: config.seed }),
        ...(cycleTime && { momentOf: (cycle) => cycleTime.momentOf(cycle) }),
        isOfToday: this.sleepsInWallTime,
        position: cycleTime === undefined ? () => this.exits : () => cycleTime.cycles,
        now,
      });
      if (config.coalesce !== false) this.#coalescing = new Coalescing(this.#vm);
      this.cpu.setSystemRegisters(this.boot.state.system);
      this.cpu.setRegisters(this.boot.state.registers);
      this.interrupts = new Interrupts(
        devices,
        irqchip === 'user' || irqchip === 'split' ? controllers : [],
        engineChips(this.#vm, irqchip),
      );
      this.#followClaims(own);
      const lender = this.#lender(own);
      for (const [index, device] of devices.entries()) device.attach?.(new LentHost(device, index, lender));
      if (logged) this.writtenPages.beginAtZero();
    } catch (error) {
      for (const resource of undo.reverse()) resource[Symbol.dispose]();
      throw error;
    }
  }

  /** True where the engine coalesces some writes. */
  get coalescing(): boolean {
    return this.#coalescing?.active === true;
  }

  /** The first CPU: the one that starts. */
  get cpu(): EngineCpu {
    return this.cpus[0]!;
  }

  /** The engine's own counters, such as KVM's `exits`; `{ vm: [], cpus: [] }` where it has none. */
  counters(): EngineCounters {
    if (this.#disposed) throw new ConfigError('the machine was used after it was disposed');
    return this.#vm.readCounters();
  }

  /**
   * The guest's current picture, as a still; undefined where there is no display. `changed` is the area that differs from the previous
   * call's.
   */
  get screen(): Picture | undefined {
    if (this.#disposed) throw new ConfigError('the machine was used after it was disposed');
    this.#screen ??= this.openScreen();
    return this.#screen?.look();
  }

  /** The current display state, at little cost; undefined where there is no display. */
  get glance(): Glance | undefined {
    if (this.#disposed) throw new ConfigError('the machine was used after it was disposed');
    this.#screen ??= this.openScreen();
    return this.#screen?.glance?.();
  }

  /** Another view of the guest's display, with its own `changed`. */
  openScreen(): Screen | undefined {
    return this.devices.find((device) => device.screen !== undefined)?.screen?.();
  }

  /**
   * Runs the guest until it ends or one of the options ends it, and returns the outcome. Run again to continue from there.
   * @throws DeviceError where a device's handler threw.
   */
  run(options: RunOptions = {}): Outcome {
    if (this.#disposed) throw new ConfigError('the machine was run after it was disposed');
    if (Atomics.compareExchange(this.control, Control.running, 0, 1) !== 0) {
      throw new ConfigError(
        'the machine is running already',
        'a device must not run the machine that calls it',
      );
    }
    this.#hostTime.start();
    try {
      return runLoop(this, options);
    } finally {
      if (options.share?.paused !== true) this.#hostTime.stop();
      Atomics.store(this.control, Control.running, 0);
      Atomics.notify(this.control, Control.running);
    }
  }

  /**
   * The whole state as plain data, while the machine is stopped: a machine that is made in the same way and loads it continues from there,
   * and its guest cannot notice.
   * @throws TerrariumError `ESTATE` where a device, or an engine with controllers of its own, does not give its state
   */
  save(): MachineState {
    this.#requireRest();
    return saveMachine(this);
  }

  /**
   * Loads a state from `save`, of this machine or another one with the same memory and devices, also on another engine.
   * @throws TerrariumError `ESTATE` or `EMEMORY` for anything else; then the machine may have parts of both states
   */
  load(state: MachineState): void {
    this.#requireRest();
    loadMachine(this, state);
  }

  /**
   * Logs the pages of RAM that are written from here on: `load` and `save` then look only at these, so that the cost of a reset to a state
   * depends on the changes since, not on the size of the memory. The guest's first write to each page becomes slower.
   *
   * ```ts
   * const state = machine.logWrites();
   * for (const input of inputs) {
   *   serial.send(input);
   *   machine.run();
   *   machine.load(state);
   * }
   * ```
   *
   * @returns the current state, as from `save`
   */
  logWrites(): MachineState {
    const state = this.save();
    this.writtenPages.begin(state.memory);
    return state;
  }

  /**
   * The pages of RAM that may have been written since this machine saved or loaded a state, also with unchanged values; numbers as in
   * `MachineState.memory.pages`. Undefined where nothing is logged, or another state was saved or loaded since.
   */
  writtenSince({ memory }: MachineState): ReadonlySet<number> | undefined {
    return this.writtenPages.copy === memory ? new Set(this.writtenPages.since(memory)) : undefined;
  }

  /** Ends the log of `logWrites`. */
  endLog(): void {
    this.#requireRest();
    this.writtenPages.end();
  }

  /** @internal */
  setTime(moment: number): void {
    if (this.cycleTime === undefined) this.#hostTime.load(moment);
    else this.cycleTime.advance(moment);
  }

  #requireRest(): void {
    if (this.#disposed) throw new ConfigError('the machine was used after it was disposed');
    if (Atomics.load(this.control, Control.running) === 1)
      throw new ConfigError('the machine runs: its state changes', 'wait until its run has ended');
  }

  /** Ends the current run, from a device or another thread's message; a stopped machine is not changed. */
  stop(reason = 'stopped by the monitor'): void {
    if (Atomics.load(this.control, Control.running) === 1) this.ending = { kind: 'stopped', reason };
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const device of this.devices) device.dispose?.();
    for (const cpu of this.cpus) cpu[Symbol.dispose]();
    this.#vm[Symbol.dispose]();
    this.memory.release(this.memory.isWanted && this.engine.discard(this.memory));
  }

  #together(): Together | undefined {
    const { crew } = this.#vm;
    return crew && new Together(crew, (address, data) => this.#vm.signalMessage(address, data));
  }

  #makeTurns({ turns }: MachineConfig): Turns | undefined {
    const { clock } = this.cpu;
    if (this.cpus.length === 1) return undefined;
    if (clock === undefined)
      throw new ConfigError(
        `the engine ${this.engine.name} runs one CPU`,
        'take the software CPU for several: --engine soft',
      );
    return new Turns(this.cpus, clock, this.memory, turns ?? {});
  }

  #addDevice(device: Device, index: number): void {
    if (this.devices.findIndex((other) => other.name === device.name) !== index) {
      throw new ConfigError(`two devices are called '${device.name}'`, 'give each its own name');
    }
    this.bus.add(device, index);
  }

  /** Updates the engine's mappings and coalesced ranges by the devices' claims. */
  #followClaims(own: DeviceMemory): void {
    const { ports, memory } = this.bus;
    own.connect(this.memory, this.bus, (slot) => this.#vm.remapRegion(slot));
    const streams = () => this.#vm.streamPorts?.(ports.segments.filter(({ claim }) => claim.coalesce));
    streams();
    for (const space of [ports, memory]) {
      space.listen(() => {
        if (space === ports) streams();
        if (space === memory) own.follow();
        const before = this.coalescing;
        this.#coalescing?.follow(space);
        // The current run does not check for coalesced writes unless it is interrupted for that.
        const runs = Atomics.load(this.control, Control.running) === 1;
        if (this.coalescing && !before && runs) this.cpu.setTimer(TICK_MS, TICK_MS);
      });
      this.#coalescing?.follow(space);
    }
  }

  #lender(windows: DeviceMemory): Lender {
    return {
      memory: this.memory,
      bus: this.bus,
      system: new FirmwareBus(this.bus, this.memory),
      windows,
      interrupts: this.interrupts,
      end: (ending) => {
        this.ending ??= ending;
      },
      clock: this.clock,
      inputs: this.inputs,
      nmi: () => this.wires[0]!.nmi(),
      cpus: this.wires,
      currentCpu: () => this.current,
    };
  }
}

/** The APIC features that the engine leaves to devices. */
function apicFeatures({ engine: { capabilities }, clock }: MachineConfig): ApicFeatures {
  const { msrExits, instructionClock } = capabilities;
  return { x2apic: msrExits, tscDeadline: msrExits && instructionClock && clock !== 'wall' };
}

function chooseTime(
  { clock: wanted, ips = DEFAULT_IPS }: MachineConfig,
  { clock }: EngineCpu,
  engine: Engine,
): CycleTime | undefined {
  if (wanted === 'wall') return undefined;
  if (wanted === 'instructions' && clock === undefined) {
    const hint = 'use the software CPU, --engine soft, or wall-clock time, --clock wall';
    throw new ConfigError(`the engine ${engine.name} does not count instructions`, hint);
  }
  return clock && new CycleTime(clock, ips);
}
