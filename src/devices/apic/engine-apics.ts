import type { DeviceHost } from '../contract/index.js';
import { type Delivery, messageOf } from './delivery.js';
import type { ApicBus } from './io-apic.js';

/**
 * Local APICs inside the engine (`--irqchip split`): an I/O APIC sends them messages. They report only the end of an
 * interrupt and not when a CPU takes it: the end counts as both.
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

  /** A CPU halts inside the engine: nobody asks here what could wake it. */
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
