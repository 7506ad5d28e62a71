import type { AccessSize, SystemBus } from '../../devices/contract/index.js';
import type { GuestMemory } from '../../memory/index.js';
import type { Bus } from './bus.js';

/** The bus for firmware that is a device: RAM answers first, as it does to a CPU. */
export class FirmwareBus implements SystemBus {
  readonly #bus: Bus;
  readonly #memory: GuestMemory;

  constructor(bus: Bus, memory: GuestMemory) {
    this.#bus = bus;
    this.#memory = memory;
  }

  in(port: number, size: AccessSize): number {
    return this.#bus.readForDevice('port', port & 0xffff, size);
  }

  out(port: number, size: AccessSize, value: number): void {
    this.#bus.writeForDevice('port', port & 0xffff, size, value);
  }

  load(address: number): number {
    if (this.#memory.find(address) !== undefined) return this.#memory.read8(address);
    return this.#bus.readForDevice('memory', address, 1);
  }

  store(address: number, value: number): void {
    const region = this.#memory.find(address);
    if (region === undefined || region.readOnly) this.#bus.writeForDevice('memory', address, 1, value);
    else this.#memory.write8(address, value);
  }
}
