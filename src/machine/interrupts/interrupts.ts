/**
 * Interrupts from the devices' lines to the CPUs: line → pin → controller → CPU, and messages to the controllers that take them.
 *
 * Where the controllers are inside the engine, the path ends at the engine's pins: it interrupts its CPUs itself, and devices cannot notice
 * a difference.
 *
 * @module
 */
import type {
  Device,
  InterruptController,
  Line,
  LineListener,
  PinSink,
} from '../../devices/contract/index.js';
import type { EngineCpu, EngineVm, InterruptMessage, IrqchipName } from '../../engine/contract/index.js';
import { ConfigError, TerrariumError } from '../../errors.js';
import { DeviceLine, Pin } from './pin.js';

/** Interrupt requests of a board: those of the ISA bus, and further pins of an I/O APIC. */
const IRQS = 24;

/** Controllers inside an engine. */
export interface EngineChips extends PinSink {
  /** See `EngineVm.watchEnds`. */
  watchEnds?(messages: readonly InterruptMessage[]): void;
}

/** The level of each line that is high, by device and interrupt request; plain data. */
export interface LinesState {
  readonly high: readonly { readonly device: string; readonly irq: number }[];
}

/** The routing of one machine's interrupts; see the module's comment. */
export class Interrupts {
  /** The controllers that are devices: where there are any, they decide what the CPUs get. */
  readonly controllers: readonly InterruptController[];
  readonly #sinks: readonly PinSink[];
  readonly #devices: readonly Device[];
  readonly #engine: EngineChips | undefined;
  readonly #pins: Pin[] = [];
  readonly #lines: DeviceLine[] = [];
  /** Is called for each interrupt that a controller device gives to a CPU. */
  onTaken: ((cpu: number, vector: number) => void) | undefined;

  /**
   * @param controllers those among the devices that deliver interrupts
   * @param engine the engine's own controllers, where it has some
   */
  constructor(devices: readonly Device[], controllers: readonly InterruptController[], engine?: EngineChips) {
    this.#devices = devices;
    this.controllers = controllers;
    this.#engine = engine;
    this.inEngine = engine !== undefined;
    this.#sinks = engine === undefined ? controllers : [...controllers, engine];
    for (const controller of controllers) {
      controller.watch({
        acknowledged: (pin) => this.#tell(controller, pin, 'acknowledged'),
        unmasked: (pin) => this.#tell(controller, pin, 'unmasked'),
        rerouted: () => this.#reroute(),
      });
    }
  }

  /** True where controllers that are devices deliver interrupts, and a HLT exits to the monitor. */
  get delivers(): boolean {
    return this.controllers.length > 0;
  }

  /** True where the engine's own controllers deliver interrupts, and a HLT stays in the engine. */
  readonly inEngine: boolean;

  /** True where the engine's own controllers have pins: their state belongs to no CPU and no device. */
  get hidesState(): boolean {
    return this.#engine !== undefined && this.#engine.pins > 0;
  }

  /** A CPU has ended an interrupt of this vector: see `EngineVm.watchEnds`. */
  ended(vector: number): void {
    for (const controller of this.controllers) controller.interruptEnded?.(vector);
  }

  #reroute(): void {
    this.#engine?.watchEnds?.(this.controllers.flatMap((controller) => controller.messages?.() ?? []));
  }

  /** A new line for a device. @throws ConfigError where the board has no such interrupt request. */
  line(device: Device, irq: number, listener: LineListener = {}): Line {
    if (!Number.isInteger(irq) || irq < 0 || irq >= IRQS) {
      throw new ConfigError(
        `device '${device.name}' asks for interrupt request ${irq}`,
        `there are 0 to ${IRQS - 1}`,
      );
    }
    const pin = this.#pins[irq] ?? new Pin(irq, this.#sinks);
    this.#pins[irq] = pin;
    const line = new DeviceLine(device, pin, listener);
    pin.lines.push(line);
    this.#lines.push(line);
    return line;
  }

  /** Sends an interrupt message; false where no controller accepts it. */
  send(address: number, data: number): boolean {
    for (const sink of this.#sinks) if (sink.message?.(address, data)) return true;
    return false;
  }

  /** An interrupt is pending for CPU number `cpu` in a controller that is a device. */
  pending(cpu: number): boolean {
    const { controllers } = this;
    for (let i = 0; i < controllers.length; i++) if (controllers[i]!.pending(cpu)) return true;
    return false;
  }

  /**
   * Gives the CPU its pending interrupt, or asks to be told as soon as it can take one. Call it before each run while one is
   * pending.
   */
  offer(cpu: EngineCpu): void {
    const { index } = cpu;
    for (let i = 0; cpu.readyForInterrupt && i < this.controllers.length; i++) {
      const controller = this.controllers[i]!;
      if (!controller.pending(index)) continue;
      const vector = controller.acknowledge(index);
      cpu.injectInterrupt(vector);
      this.onTaken?.(index, vector);
      break;
    }
    cpu.requestInterruptWindow(this.pending(index));
  }

  /** True where something could interrupt a guest that halted. */
  get canWake(): boolean {
    return (
      this.#lines.some((line) => this.#opens(line.pin) && line.canRise) ||
      this.#devices.some((device) => device.canWake?.() === true)
    );
  }

  /** Why no line, or not the required one, is open: a phrase for messages. */
  describe(): string {
    return this.controllers.map((controller) => controller.describe()).join('; ');
  }

  /**
   * Tells the engine's own controllers again which pins are high. They do not report when a guest initializes them, which clears earlier
   * edges; for controllers that have seen the pin high nothing changes.
   */
  refresh(): void {
    if (!this.hidesState) return;
    for (const pin of this.#pins) if (pin?.level) pin.drive(true);
  }

  save(): LinesState {
    return {
      high: this.#lines
        .filter(({ level }) => level)
        .map(({ device, pin }) => ({ device: device.name, irq: pin.irq })),
    };
  }

  /**
   * Restores devices and the levels of their lines. Controllers have their view of the lines in their own state: they are not notified
   * meanwhile.
   *
   * @param devices loads the devices, controllers among them
   * @throws TerrariumError (`ESTATE`) for a line that this machine does not have.
   */
  load(state: LinesState, devices: () => void = () => {}): void {
    const high = new Set<DeviceLine>();
    for (const { device, irq } of state.high) {
      const line = this.#lines.find(
        (one) => one.device.name === device && one.pin.irq === irq && !high.has(one),
      );
      if (line === undefined) {
        throw new TerrariumError('ESTATE', `the saved state has a line of '${device}' to IRQ ${irq}`, {
          hint: 'make the machine with the same devices as the one that was saved',
        });
      }
      high.add(line);
    }
    for (const line of this.#lines) line.held = true;
    try {
      devices();
      for (const line of this.#lines) line.set(high.has(line));
    } finally {
      for (const line of this.#lines) line.held = false;
      for (const pin of this.#pins) pin?.recount();
    }
  }

  #opens(pin: Pin): boolean {
    return this.controllers.some((controller) => pin.opensAt(controller));
  }

  #tell(controller: InterruptController, input: number, what: 'acknowledged' | 'unmasked'): void {
    for (const pin of this.#pins) {
      if (pin === undefined || !pin.leadsTo(controller, input)) continue;
      for (const { level, listener } of pin.lines) {
        if (what === 'unmasked') listener.unmasked?.();
        else if (level) listener.acknowledged?.();
      }
    }
  }
}

/** An engine's own controllers, where it has some: all, with their pins, or only the local APICs. */
export function engineChips(vm: EngineVm, irqchip: IrqchipName): EngineChips | undefined {
  if (irqchip !== 'kernel' && irqchip !== 'split') return undefined;
  const message = (address: number, data: number) => vm.signalMessage(address, data);
  if (irqchip === 'split')
    return { pins: 0, setPin() {}, message, watchEnds: (messages) => vm.watchEnds?.(messages) };
  return { pins: IRQS, setPin: (pin, level) => vm.setIrq(pin, level), message };
}
