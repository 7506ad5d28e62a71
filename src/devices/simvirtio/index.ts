/**
 * SIMVIRTIO, the protocol of the SO2 assignment: byte queues between a driver in the guest and devices in the monitor.
 * `docs/simvirtio.md` is its specification.
 *
 * @module
 */
export { type Backend, consoleBackend, echoBackend, sinkBackend } from './backends.js';
export type { DeviceCounts, Phase } from './device.js';
export { type Notification, notifications, simvirtioRegions } from './layout.js';
export { SimvirtioByExits, SimvirtioByTicks, simvirtio } from './notification.js';
export {
  DEFAULT_QUEUE_LENGTH,
  Simvirtio,
  type SimvirtioOptions,
  STANDARD_BACKENDS,
  standardBackends,
} from './simvirtio.js';
