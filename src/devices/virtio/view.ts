import type { Device } from '../contract/index.js';
import { ringParts } from './queue/index.js';
import { VirtioMmio } from './transport/mmio.js';
import { VirtioPci } from './transport/pci.js';

/** A queue as its device sees it, as plain data: for pages that draw it. */
export interface QueueView {
  index: number;
  name: string;
  size: number;
  ready: boolean;
  packed: boolean;
  /** The places of its parts. */
  descriptors: number;
  driver: number;
  device: number;
  /** The device's positions; see `RingState`. */
  next: number;
  used: number;
}

/** A device as plain data. */
export interface VirtioView {
  name: string;
  type: number;
  transport: string;
  status: number;
  /** The negotiated features, by their numbers. */
  features: number[];
  problem: string;
  queues: QueueView[];
}

/** The current state of the virtio devices among a machine's devices. */
export function virtioViews(devices: readonly Device[]): VirtioView[] {
  return devices
    .filter((device) => device instanceof VirtioPci || device instanceof VirtioMmio)
    .map(({ device, transport }) => ({
      name: device.name,
      type: device.type,
      transport,
      status: device.status,
      features: Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => device.has(bit)),
      problem: device.problem,
      queues: device.queues.map((queue) => {
        const { index, name, size, isPacked: packed, ring } = queue;
        const [descriptors = 0, driver = 0, area = 0] = ringParts.map((part) => queue.address(part));
        const { next, used } = ring?.save() ?? { next: 0, used: 0 };
        const ready = ring !== undefined;
        return { index, name, size, ready, packed, descriptors, driver, device: area, next, used };
      }),
    }));
}
