import type {
  Claim,
  Device,
  DeviceHost,
  Line,
  LineListener,
  MemoryRange,
  PortRange,
  Windows,
} from '../devices/contract/index.js';
import { ConfigError } from '../errors.js';
import type { GuestMemory } from '../memory/index.js';
import type { Bus } from './bus/bus.js';
import type { Ending } from './cpus/run-loop.js';
import type { Interrupts } from './interrupts/interrupts.js';

/** The parts of a machine that it lends to its devices. */
export interface Lender {
  readonly memory: GuestMemory;
  readonly windows: Windows;
  readonly bus: Bus;
  readonly interrupts: Interrupts;
  /** How the run is to end; the first one counts. */
  end(ending: Ending): void;
  nmi(): void;
  now(): number;
}

/** What a machine lends to one of its devices. */
export class LentHost implements DeviceHost {
  readonly memory: GuestMemory;
  readonly windows: Windows;
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
    return this.#lender.interrupts.line(this.#device, irq, listener);
  }

  sendMessage(address: number, data: number): boolean {
    return this.#lender.interrupts.send(address, data);
  }

  nmi(): void {
    this.#lender.nmi();
  }

  now(): number {
    return this.#lender.now();
  }
}
