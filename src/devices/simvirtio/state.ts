import { DeviceStateError, registerField, stateFields } from '../state.js';
import { ECHO_BYTES } from './backends.js';
import { type DeviceState, type Phase, phases } from './device.js';
import { DriverStatus, deviceAddress } from './layout.js';
import type { QueueEnds } from './queue.js';
import { queueLengths, type SimvirtioOptions } from './simvirtio.js';

const exampleDevice: DeviceState = {
  phase: 'reset',
  accepted: 0,
  selected: 0,
  tx: { head: 0, tail: 0 },
  rx: { head: 0, tail: 0 },
  kept: [],
};
const acceptable: readonly unknown[] = Object.values(DriverStatus);

/**
 * Checks a value of `save`, so that a foreign state can neither reach outside a queue nor list a device that does not exist.
 * @throws DeviceStateError
 */
export function loadableState(
  name: string,
  state: unknown,
  options: SimvirtioOptions,
): { devices: DeviceState[]; table: number[] } {
  const lengths = queueLengths(options);
  const { devices, table } = stateFields(name, state, { devices: [], table: [] });
  if (!Array.isArray(devices) || devices.length !== lengths.length) {
    throw new DeviceStateError(name, `'devices' is not a list of ${lengths.length}`);
  }
  const addresses: readonly unknown[] = lengths.map((_, i) => deviceAddress(i));
  const isTable =
    Array.isArray(table) &&
    table.every((entry, i) => addresses.includes(entry) && table.indexOf(entry) === i);
  if (!isTable) throw new DeviceStateError(name, `'table' lists an unknown device`);
  return {
    devices: devices.map((device, i) => oneDevice(name, `devices[${i}]`, device, lengths[i]!)),
    table: table as number[],
  };
}

function oneDevice(name: string, at: string, state: unknown, maxlen: number): DeviceState {
  const { phase, accepted, selected, tx, rx, kept } = stateFields(name, state, exampleDevice);
  if (!phases.includes(phase as Phase)) {
    throw new DeviceStateError(name, `'${at}.phase' is ${String(phase)}`);
  }
  if (!acceptable.includes(accepted)) {
    throw new DeviceStateError(name, `'${at}.accepted' is ${String(accepted)}`);
  }
  if (!Array.isArray(kept) || kept.length > ECHO_BYTES) {
    throw new DeviceStateError(name, `'${at}.kept' is not a list of at most ${ECHO_BYTES} bytes`);
  }
  return {
    phase: phase as Phase,
    accepted: accepted as number,
    selected: registerField(name, `${at}.selected`, selected, 0xff),
    tx: ends(name, `${at}.tx`, tx, maxlen),
    rx: ends(name, `${at}.rx`, rx, maxlen),
    kept: kept.map((byte, i) => registerField(name, `${at}.kept[${i}]`, byte, 0xff)),
  };
}

function ends(name: string, at: string, state: unknown, maxlen: number): QueueEnds {
  const { head, tail } = stateFields(name, state, { head: 0, tail: 0 });
  for (const [field, index] of Object.entries({ head, tail })) {
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= maxlen) {
      throw new DeviceStateError(name, `'${at}.${field}' is ${String(index)}, not below ${maxlen}`);
    }
  }
  return { head: head as number, tail: tail as number };
}
