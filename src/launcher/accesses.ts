import type { Exit } from '../engine/contract/index.js';
import { type AccessName, type LauncherCallbacks, stop, type UnhandledAccess } from './callbacks.js';

const outs = { 1: 'out8', 2: 'out16', 4: 'out32' } as const;
const ins = { 1: 'in8', 2: 'in16', 4: 'in32' } as const;

/** Calls the callbacks for the accesses of an exit, one by one. Allocates nothing. */
export class Accesses {
  readonly #callbacks: LauncherCallbacks;
  readonly #unhandled: { -readonly [K in keyof UnhandledAccess]: UnhandledAccess[K] };
  /** The value of a write to memory, by its length. */
  readonly #bytes: readonly Uint8Array[];
  readonly #scratch = new DataView(new ArrayBuffer(8));
  /** The number of accesses so far: more than exits where there is string I/O. */
  count = 0;

  constructor(callbacks: LauncherCallbacks) {
    this.#callbacks = callbacks;
    this.#unhandled = { callback: 'in8', address: 0, length: 0, value: undefined };
    this.#bytes = Array.from({ length: 9 }, (_, length) => new Uint8Array(this.#scratch.buffer, 0, length));
  }

  /** Answers an `io` exit; returns the callback that ends the run, if one does. */
  port(exit: Exit): keyof LauncherCallbacks | undefined {
    const { address, count, write, data } = exit;
    const size = exit.size as 1 | 2 | 4;
    let ended: keyof LauncherCallbacks | undefined;
    for (let i = 0, at = exit.offset; i < count; i++, at += size) {
      const by = write ? this.#out(address, size, data, at) : this.#in(address, size, data, at);
      ended ??= by;
    }
    return ended;
  }

  /** Answers an `mmio` exit, as `port` does. */
  memory(exit: Exit): keyof LauncherCallbacks | undefined {
    const { address, size, data, offset } = exit;
    this.count++;
    return exit.write ? this.#store(address, size, data, offset) : this.#load(address, size, data, offset);
  }

  #out(port: number, size: 1 | 2 | 4, data: DataView, at: number): keyof LauncherCallbacks | undefined {
    this.count++;
    const value = fetch(data, at, size);
    const name = outs[size];
    if (this.#callbacks[name] === undefined) return this.#miss(name, port, size, value);
    return this.#callbacks[name](port, value) === stop ? name : undefined;
  }

  #in(port: number, size: 1 | 2 | 4, data: DataView, at: number): keyof LauncherCallbacks | undefined {
    this.count++;
    float(data, at, size);
    const name = ins[size];
    if (this.#callbacks[name] === undefined) return this.#miss(name, port, size, undefined);
    const value = this.#callbacks[name](port);
    if (value === stop) return name;
    if (value === undefined) return undefined;
    if (size === 1) data.setUint8(at, value);
    else if (size === 2) data.setUint16(at, value, true);
    else data.setUint32(at, value, true);
    return undefined;
  }

  #store(address: number, size: number, data: DataView, at: number): keyof LauncherCallbacks | undefined {
    const bytes = this.#bytes[size]!;
    for (let i = 0; i < size; i++) bytes[i] = data.getUint8(at + i);
    if (this.#callbacks.mmioWrite !== undefined) {
      return this.#callbacks.mmioWrite(address, bytes) === stop ? 'mmioWrite' : undefined;
    }
    if (this.#callbacks.unhandled === undefined) return undefined;
    const value = this.#scratch.getBigUint64(0, true) & lowBytes[size]!;
    return this.#miss('mmioWrite', address, size, size === 8 ? value : Number(value));
  }

  #load(address: number, size: number, data: DataView, at: number): keyof LauncherCallbacks | undefined {
    float(data, at, size);
    if (this.#callbacks.mmioRead === undefined) return this.#miss('mmioRead', address, size, undefined);
    const value = this.#callbacks.mmioRead(address, size);
    if (value === stop) return 'mmioRead';
    if (value instanceof Uint8Array) {
      for (let i = 0; i < size && i < value.length; i++) data.setUint8(at + i, value[i]!);
      return undefined;
    }
    if (value === undefined) return undefined;
    if (typeof value === 'bigint') this.#scratch.setBigUint64(0, BigInt.asUintN(64, value), true);
    else {
      this.#scratch.setUint32(0, value, true);
      this.#scratch.setUint32(4, Math.floor(value / 0x1_0000_0000), true);
    }
    for (let i = 0; i < size; i++) data.setUint8(at + i, this.#scratch.getUint8(i));
    return undefined;
  }

  #miss(
    callback: AccessName,
    address: number,
    length: number,
    value: number | bigint | undefined,
  ): 'unhandled' | undefined {
    if (this.#callbacks.unhandled === undefined) return undefined;
    const access = this.#unhandled;
    access.callback = callback;
    access.address = address;
    access.length = length;
    access.value = value;
    return this.#callbacks.unhandled(access) === stop ? 'unhandled' : undefined;
  }
}

/** Masks of 0 to 8 bytes. */
const lowBytes = Array.from({ length: 9 }, (_, bytes) => (1n << BigInt(8 * bytes)) - 1n);

function fetch(data: DataView, at: number, size: 1 | 2 | 4): number {
  if (size === 1) return data.getUint8(at);
  return size === 2 ? data.getUint16(at, true) : data.getUint32(at, true);
}

/** An unclaimed address reads as all ones: a bus that floats high. */
function float(data: DataView, at: number, size: number): void {
  for (let i = 0; i < size; i++) data.setUint8(at + i, 0xff);
}
