import { TerrariumError } from '../errors.js';

/** A saved state that does not fit this device: names the device, the field and the value. */
export class DeviceStateError extends TerrariumError {
  constructor(device: string, problem: string) {
    super('ESTATE', `the saved state of '${device}' cannot be loaded: ${problem}`, {
      hint: 'pass the result of save() of the same kind of device',
    });
  }
}

/**
 * Checks that `state` is an object with exactly the keys of `example`, and returns it with unknown values.
 * @param later fields that states of older versions lack, with their values: old snapshot files stay readable
 */
export function stateFields<T extends object>(
  device: string,
  state: unknown,
  example: T,
  later: Partial<T> = {},
): Record<keyof T, unknown> {
  if (typeof state !== 'object' || state === null || Array.isArray(state)) {
    throw new DeviceStateError(device, `it is ${state === null ? 'null' : typeof state}, not an object`);
  }
  const wanted = Object.keys(example);
  for (const key of wanted) {
    if (!Object.hasOwn(state, key) && !Object.hasOwn(later, key))
      throw new DeviceStateError(device, `'${key}' is missing`);
  }
  const extra = Object.keys(state).find((key) => !wanted.includes(key));
  if (extra !== undefined) throw new DeviceStateError(device, `'${extra}' is not one of its fields`);
  return { ...later, ...state } as Record<keyof T, unknown>;
}

/** A field that is a register: a whole number with no bits outside `mask`. */
export function registerField(device: string, field: string, value: unknown, mask: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || (value & ~mask) !== 0) {
    throw new DeviceStateError(
      device,
      `'${field}' is ${String(value)}, allowed are the bits 0x${mask.toString(16)}`,
    );
  }
  return value;
}

export function booleanField(device: string, field: string, value: unknown): boolean {
  if (typeof value !== 'boolean')
    throw new DeviceStateError(device, `'${field}' is ${String(value)}, not a boolean`);
  return value;
}

/** A field that is a queue of at most `most` bytes. */
export function bytesField(device: string, field: string, value: unknown, most: number): number[] {
  if (!Array.isArray(value) || value.length > most) {
    throw new DeviceStateError(device, `'${field}' is not a list of at most ${most} bytes`);
  }
  return value.map((byte, i) => registerField(device, `${field}[${i}]`, byte, 0xff));
}

/** A device without registers: its state has no fields. */
export abstract class Stateless {
  abstract readonly name: string;

  save(): Record<string, never> {
    return {};
  }

  load(state: unknown): void {
    stateFields(this.name, state, this.save());
  }
}
