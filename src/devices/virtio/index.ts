/**
 * Virtio (OASIS VIRTIO 1.3): devices whose drivers share queues of buffers with them. `queue/` has the rings,
 * `device.ts` the common part of all devices, `devices/` each kind of device, and `transport/` the ways in which a
 * driver finds and accesses one.
 *
 * @module
 */

export { VirtioDevice } from './device.js';
export { VirtioBalloon } from './devices/balloon.js';
export { type BlockOptions, VirtioBlock } from './devices/block.js';
export { type PortOptions, type TerminalSize, VirtioConsole } from './devices/console.js';
export { VirtioEntropy } from './devices/entropy.js';
export { type Pointing, TABLET_MOST, VirtioKeyboard, VirtioTablet } from './devices/input.js';
export { FrameQueue, loopback, VirtioNet } from './devices/net.js';
export { MMIO_SIZE, mmioParameter, VirtioMmio } from './transport/mmio.js';
export { VirtioPci } from './transport/pci.js';
export { type QueueView, type VirtioView, virtioViews } from './view.js';
