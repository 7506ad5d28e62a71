/**
 * SIMVIRTIO on a machine's bus: with exits, or by polling the guest's memory every few milliseconds. For polling on
 * another thread the host makes a `Simvirtio` over the machine's memory there.
 *
 * @module
 */
import { PAGE_SIZE } from '../../memory/index.js';
import { MILLISECOND } from '../../time/index.js';
import type { Access, AccessSize, AccessWords, Device, DeviceHost, MemoryRange } from '../contract/index.js';
import type { DeviceCounts } from './device.js';
import { deviceAddress, type Notification, SIMVIRTIO_BASE } from './layout.js';
import { checkOptions, Simvirtio, type SimvirtioOptions } from './simvirtio.js';
import { loadableState } from './state.js';
import { simvirtioWords } from './words.js';

/** The common part of both ways of notification. */
abstract class OnBus implements Device {
  readonly name = 'simvirtio';
  protected readonly options: SimvirtioOptions;
  #devices: Simvirtio | undefined;

  constructor(options: SimvirtioOptions) {
    checkOptions(options);
    this.options = options;
  }

  attach(host: DeviceHost): void {
    this.#devices = new Simvirtio(host.memory, this.options);
  }

  protected get devices(): Simvirtio | undefined {
    return this.#devices;
  }

  /** The counts of each device; empty before the machine is made. */
  get counts(): DeviceCounts[] {
    return this.#devices?.counts ?? [];
  }

  /** The devices' own state; their data in guest memory is saved and loaded with the guest's memory. */
  save(): unknown {
    return this.#devices?.save() ?? null;
  }

  load(state: unknown): void {
    const checked = loadableState(this.name, state, this.options);
    this.#devices?.load(checked);
  }

  dispose(): void {
    this.#devices = undefined;
  }
}

/** Each write to the registers is an exit, after which the device reads its memory. Reads are never exits. */
export class SimvirtioByExits extends OnBus {
  readonly memory: readonly MemoryRange[];

  constructor(options: SimvirtioOptions) {
    super(options);
    const pages = options.backends.map((_, i) => ({ address: deviceAddress(i), size: PAGE_SIZE }));
    this.memory = [{ address: SIMVIRTIO_BASE, size: PAGE_SIZE }, ...pages];
  }

  writeMemory(address: number, size: AccessSize, value: number): void {
    // The device table has nothing to write.
    if (address < deviceAddress(0)) return;
    const index = deviceIndex(address);
    this.devices?.write(index, address - deviceAddress(index), size, value);
  }

  describeAccess({ address, size }: Access): AccessWords | undefined {
    const index = address < deviceAddress(0) ? -1 : deviceIndex(address);
    return simvirtioWords(index, address - deviceAddress(index), size);
  }
}

function deviceIndex(address: number): number {
  return Math.floor((address - deviceAddress(0)) / (deviceAddress(1) - deviceAddress(0)));
}

/** The polling interval of devices without notification, in nanoseconds. */
const LOOK = 8 * MILLISECOND;

/** No write is an exit; the devices poll their memory every few milliseconds while the guest runs. */
export class SimvirtioByTicks extends OnBus {
  override attach(host: DeviceHost): void {
    super.attach(host);
    const look = () => {
      this.devices?.service();
      alarm.at(host.clock.now() + LOOK);
    };
    const alarm = host.clock.alarm('look', look, 'running');
    look();
  }

  ended(): void {
    this.devices?.service();
  }
}

/** SIMVIRTIO for a machine on one thread. Its memory is `simvirtioRegions(notification, backends.length)`. */
export function simvirtio(
  notification: Notification,
  options: SimvirtioOptions,
): SimvirtioByExits | SimvirtioByTicks {
  return notification === 'exits' ? new SimvirtioByExits(options) : new SimvirtioByTicks(options);
}
