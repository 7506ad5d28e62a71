import { Type } from '../constants.js';
import { VirtioDevice } from '../device.js';
import type { VirtQueue } from '../queue/index.js';

/** The most bytes for a buffer: a driver that needs more requests them again. */
const MOST_BYTES = 64 * 1024;

/** A source of entropy (5.4): fills buffers with the machine's random bytes, so that a recorded run repeats. */
export class VirtioEntropy extends VirtioDevice {
  constructor(name = 'virtio-rng') {
    super({
      name,
      type: Type.entropy,
      features: [],
      queues: [{ name: 'requests', maximum: 64 }],
      configSize: 0,
    });
  }

  protected serve(queue: VirtQueue): void {
    this.drain(queue, (chain) => {
      const bytes = new Uint8Array(Math.min(chain.writableLength, MOST_BYTES));
      this.host?.inputs.random(bytes);
      return chain.write(0, bytes);
    });
  }
}
