import type { DeviceHost } from '../contract/index.js';
import { type Delivery, messageOf } from './delivery.js';
import type { ApicBus } from './io-apic.js';

/**
 * Local APICs inside the engine (`--irqchip split`): an I/O APIC sends them messages. They do not report when a CPU
 * takes an interrupt, only when it ends one: that counts as both.
 */
export class EngineApics implements ApicBus {
  #host: Pick<DeviceHost, 'sendMessage'> | undefined;
  readonly #ended: ((vector: number) => void)[] = [];
  readonly #acknowledged: ((vector: number) => void)[] = [];

  connect(host: DeviceHost): void {
    this.#host = host;
  }

  deliver(delivery: Delivery): boolean {
    const { address, data } = messageOf(delivery);
    return this.#host?.sendMessage(address, data) === true;
  }

  /** A CPU that halts does so inside the engine: the question what could wake it does not arise. */
  opensFor(): boolean {
    return true;
  }

  watchEnds(ended: (vector: number) => void): void {
    this.#ended.push(ended);
  }

  watchVectors(acknowledged: (vector: number) => void): void {
    this.#acknowledged.push(acknowledged);
  }

  interruptEnded(vector: number): void {
    for (const tell of this.#acknowledged) tell(vector);
    for (const tell of this.#ended) tell(vector);
  }
}
