/** SIMVIRTIO's registers in words: see `docs/simvirtio.md`. */
import type { AccessWords } from '../contract/index.js';
import { names, words } from '../words.js';
import { DeviceStatus, DriverStatus, MAX_DEVICES, Register } from './layout.js';

const table = words('device table');
const driver = names({
  [DriverStatus.ack]: 'acknowledged',
  [DriverStatus.driver]: 'driver found',
  [DriverStatus.ok]: 'driver ready',
  [DriverStatus.reset]: 'reset',
});
const device = names({
  [DeviceStatus.reset]: 'reset',
  [DeviceStatus.config]: 'configured',
  [DeviceStatus.ready]: 'ready',
});
const queues = names({ 0: 'TX', 1: 'RX' });
const control = (value: number) => (value & 1 ? 'runs' : 'is stopped');

/** A register's first byte, its bytes, and its words. */
const fields = [
  [Register.magic, 4, 'magic value'],
  [Register.maxQueueLength, 2, 'maximum queue length'],
  [Register.deviceStatus, 1, 'device status', device],
  [Register.driverStatus, 2, 'driver status', driver],
  [Register.queueSelector, 1, 'queue selector', queues],
  [Register.txControl, 1, 'TX control', control],
  [Register.rxControl, 1, 'RX control', control],
  [Register.queueSelected, 1, 'queue selected', queues],
  [Register.txHead, 4, 'TX head'],
  [Register.txTail, 4, 'TX tail'],
  [Register.rxHead, 4, 'RX head'],
  [Register.rxTail, 4, 'RX tail'],
] as const;

const devices = Array.from({ length: MAX_DEVICES }, (_, index) =>
  fields.map(([first, size, name, says]) => ({
    first,
    end: first + size,
    whole: words(`device ${index} ${name}`, says),
    part: words(`device ${index} ${name}, a part`),
  })),
);

/** @param index the device's number, -1 for the table; `offset` is into its registers */
export function simvirtioWords(index: number, offset: number, size: number): AccessWords | undefined {
  if (index < 0) return table;
  const field = devices[index]?.find(({ first, end }) => offset >= first && offset < end);
  if (field === undefined) return undefined;
  return offset === field.first && size === field.end - field.first ? field.whole : field.part;
}
