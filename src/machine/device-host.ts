import type {
  Claim,
  CpuWires,
  Device,
  DeviceHost,
  DeviceInputs,
  Line,
  LineListener,
  MemoryRange,
  PortRange,
  SystemBus,
  Windows,
} from '../devices/contract/index.js';
import { ConfigError } from '../errors.js';
import type { GuestMemory } from '../memory/index.js';
import type { Alarm, AlarmTime, Clock } from '../time/index.js';
import type { Bus } from './bus/bus.js';
import type { Ending } from './cpus/run-loop.js';
import type { Inputs } from './inputs/index.js';
import type { Interrupts } from './interrupts/interrupts.js';

/** The parts of a machine that its devices use. */
export interface Lender {
  readonly memory: GuestMemory;
  readonly windows: Windows;
  readonly bus: Bus;
  /** The bus with RAM on it. */
  readonly system: SystemBus;
  readonly interrupts: Interrupts;
  /** The requested end of the run; the first one counts. */
  end(ending: Ending): void;
  readonly clock: Clock;
  readonly inputs: Inputs;
  nmi(): void;
  readonly cpus: readonly CpuWires[];
  /** The number of the CPU that left its guest. */
  currentCpu(): number;
}

/** The interface of a machine for one of its devices. */
export class LentHost implements DeviceHost {
  readonly memory: GuestMemory;
  readonly windows: Windows;
  readonly bus: SystemBus;
  readonly clock: DeviceClock;
  readonly inputs: DeviceInputs;
  readonly cpus: readonly CpuWires[];
  readonly #device: Device;
  readonly #index: number;
  readonly #lender: Lender;

  /** @param index the device's number in its machine */
  constructor(device: Device, index: number, lender: Lender) {
    this.#device = device;
    this.#index = index;
    this.#lender = lender;
    this.memory = lender.memory;
    this.windows = lender.windows;
    this.cpus = lender.cpus;
    this.bus = lender.system;
    this.clock = new DeviceClock(device.name, lender.clock);
    this.inputs = lender.inputs.of(device.name);
  }

  exit(code: number): void {
    const status = code & 0xff;
    this.#lender.end({ kind: 'exited', code: status, reason: `the guest exited with code ${status}` });
  }

  stop(reason: string): void {
    this.#lender.end({ kind: 'stopped', reason });
  }

  reset(how: string): void {
    this.#lender.end({ kind: 'reset', reason: `the guest reset the machine (${how})` });
  }

  powerOff(how: string): void {
    this.#lender.end({ kind: 'poweredOff', reason: `the guest switched the machine off (${how})` });
  }

  panic(how: string): void {
    this.#lender.end({ kind: 'panicked', reason: `the guest's kernel panicked (${how})` });
  }

  claim(range: PortRange | MemoryRange): Claim {
    const device = this.#device;
    const ownsMemory = 'address' in range && (range.backing !== undefined || range.window !== undefined);
    if (ownsMemory && device.memory?.includes(range) !== true) {
      throw new ConfigError(
        `device '${device.name}' claims memory of its own at 0x${range.address.toString(16)} too late`,
        'list the range in its `memory`, with `hidden` where it is to be shown later',
      );
    }
    const { bus } = this.#lender;
    return bus.claimOf(device, range) ?? bus.claim(device, this.#index, range);
  }

  line(irq: number, listener?: LineListener): Line {
    const canRise = () => this.clock.awaits;
    return this.#lender.interrupts.line(this.#device, irq, { canRise, ...listener });
  }

  sendMessage(address: number, data: number): boolean {
    return this.#lender.interrupts.send(address, data);
  }

  nmi(): void {
    this.#lender.nmi();
  }

  get currentCpu(): number {
    return this.#lender.currentCpu();
  }
}

/** The machine's clock for one device: its alarms have its name. */
class DeviceClock implements Clock {
  readonly now: () => number;
  readonly #device: string;
  readonly #clock: Clock;
  /** Its alarms that also wake a guest that sleeps. */
  readonly #awaited: Alarm[] = [];

  constructor(device: string, clock: Clock) {
    this.now = clock.now;
    this.#device = device;
    this.#clock = clock;
  }

  alarm(name: string, ring: () => void, during: AlarmTime = 'always'): Alarm {
    const alarm = this.#clock.alarm(`${this.#device}: ${name}`, ring, during);
    if (during === 'always') this.#awaited.push(alarm);
    return alarm;
  }

  /** One of the device's alarms is set. */
  get awaits(): boolean {
    return this.#awaited.some(({ moment }) => moment !== Number.POSITIVE_INFINITY);
  }
}
