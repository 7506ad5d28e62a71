/**
 * Virtio (OASIS VIRTIO 1.3): devices whose drivers share queues of buffers with them. `queue/` are the rings, `device.ts` is what all
 * devices are, `devices/` what each of them does, and `transport/` how a driver finds and reaches one.
 *
 * @module
 */

export { VirtioDevice } from './device.js';
export { type BlockOptions, VirtioBlock } from './devices/block.js';
export { VirtioEntropy } from './devices/entropy.js';
export { VirtioPci } from './transport/pci.js';
