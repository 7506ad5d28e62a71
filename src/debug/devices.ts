import type { Device } from '../devices/contract/index.js';

/** A line for each device: its name, then its ports and memory. */
export function describeDevices(devices: readonly Device[]): string {
  const width = Math.max(0, ...devices.map(({ name }) => name.length));
  return devices
    .map(({ name, ports = [], memory = [] }) => {
      const ranges = [
        ...ports.map(({ first, count }) => `port ${range(first, count)}`),
        ...memory.map(({ address, size }) => `memory ${range(address, size)}`),
      ];
      return `${name.padEnd(width)}  ${ranges.join(', ')}`.trimEnd();
    })
    .join('\n');
}

function range(first: number, count: number): string {
  const hex = (value: number) => `0x${value.toString(16)}`;
  return count === 1 ? hex(first) : `${hex(first)}-${hex(first + count - 1)}`;
}
