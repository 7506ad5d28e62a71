/**
 * The addresses of SIMVIRTIO in guest physical memory, and its numbers. The specification is `docs/simvirtio.md`; the
 * names are those of the SO2 assignment that defines the protocol.
 *
 * @module
 */
import { PAGE_SIZE, type RegionConfig } from '../../memory/index.js';

/** The device table's address. Device n is at `deviceAddress(n)`, after the table. */
export const SIMVIRTIO_BASE = 0xd000_0000;
/** From one device to the next. */
const DEVICE_STRIDE = 0x1_0000;
/** The most devices of the device table. */
export const MAX_DEVICES = 10;

/** Guest physical address of device `index`: its configuration space. */
export function deviceAddress(index: number): number {
  return SIMVIRTIO_BASE + (index + 1) * DEVICE_STRIDE;
}

/** "virt" as bytes in memory. */
export const MAGIC_VALUE = 0x74726976;

/** Offsets in a device's registers, in bytes; the configuration space is the first 14. */
export const Register = {
  /** u32, R. */
  magic: 0x00,
  /** u16, R: the length of the selected queue, 0 where there is no such queue. */
  maxQueueLength: 0x04,
  /** u8, R. */
  deviceStatus: 0x06,
  /** u16, R/W. */
  driverStatus: 0x08,
  /** u8, R/W: selects the queue for `maxQueueLength`. */
  queueSelector: 0x0a,
  /** u8, R/W each: see `QUEUE_RUN`. */
  txControl: 0x0b,
  rxControl: 0x0c,
  /** u8, R: the queue to which `maxQueueLength` belongs. */
  queueSelected: 0x0d,
  /** u32 each: `queue_control_t` of TX (queue 0). The driver produces: head R/W, tail R. */
  txHead: 0x40,
  txTail: 0x44,
  /** u32 each: `queue_control_t` of RX (queue 1). The driver consumes: head R, tail R/W. */
  rxHead: 0x80,
  rxTail: 0x84,
} as const;

/** The queues' data buffers, plain RAM, as offsets from the device's address. */
export const TX_BUFFER = 0x4000;
export const RX_BUFFER = 0x8000;
/** Bytes of each buffer: the largest maximum queue length. */
export const BUFFER_SIZE = 0x4000;
/** A queue with less than two elements could never hold one. */
export const SHORTEST_QUEUE = 2;

export const DeviceStatus = { reset: 0x0, config: 0x2, ready: 0x4 } as const;
export type DeviceStatus = (typeof DeviceStatus)[keyof typeof DeviceStatus];

export const DriverStatus = { ack: 0x0, driver: 0x2, ok: 0x4, reset: 0x8000 } as const;

/** Bit 0 of a queue's control byte: the device works on the queue. */
export const QUEUE_RUN = 0x01;

/** Bytes with a meaning in TX while the device is not ready: the letters R and C. */
export const COMMAND_RESET = 0x52;
export const COMMAND_CONFIGURE = 0x43;

/** How a device notices its driver's actions: each write is an exit, or another thread polls. */
export const notifications = ['exits', 'polling'] as const;
export type Notification = (typeof notifications)[number];

/** True for the bytes of a device's registers that a driver may write. */
export const writable: readonly boolean[] = (() => {
  const bytes = new Array<boolean>(PAGE_SIZE).fill(false);
  const fields = [
    [Register.driverStatus, 2],
    [Register.queueSelector, 1],
    [Register.txControl, 1],
    [Register.rxControl, 1],
    [Register.txHead, 4],
    [Register.rxTail, 4],
  ] as const;
  for (const [offset, width] of fields) bytes.fill(true, offset, offset + width);
  return bytes;
})();

/**
 * The memory that a machine with `devices` devices needs in addition to its own. With exits, the device table and the
 * registers are read-only: reads are native, and a write is an exit. With polling, they are ordinary RAM.
 */
export function simvirtioRegions(notification: Notification, devices: number): RegionConfig[] {
  const readOnly = notification === 'exits';
  const regions: RegionConfig[] = [{ address: SIMVIRTIO_BASE, size: PAGE_SIZE, readOnly }];
  for (let index = 0; index < devices; index++) {
    const address = deviceAddress(index);
    regions.push({ address, size: PAGE_SIZE, readOnly });
    regions.push({ address: address + TX_BUFFER, size: RX_BUFFER - TX_BUFFER + BUFFER_SIZE });
  }
  return regions;
}
