import type {
  Access,
  AccessSize,
  Device,
  MemoryRange,
  MsrRange,
  PortRange,
} from '../../devices/contract/index.js';
import type { Exit } from '../../engine/contract/index.js';
import { DeviceError } from '../errors.js';
import { AddressSpace } from './address-space.js';
import { BusClaim } from './claim.js';

/** An address that no device answers, and how often the guest accessed it. */
export interface UnclaimedAccess {
  readonly space: 'port' | 'memory';
  readonly address: number;
  readonly write: boolean;
  readonly count: number;
}

/** Where a claim is: its device's number in the machine, and its first address; null while the device does not hold it. */
export interface ClaimState {
  device: number;
  address: number | null;
}

/** Is called for each access right before its device. */
export interface AccessListener {
  /**
   * @param access reused: valid until the listener returns
   * @param offset of the access's bytes in the exit's data
   */
  access(device: Device, access: Access, offset: number): void;
}

/** How many unclaimed addresses are stored one by one: a hostile guest can access all of them. */
const UNCLAIMED_KEPT = 64;

/**
 * Routes each exit's accesses to the devices that claim them.
 *
 * String I/O is split into its elements. An access that is wider than its device becomes several, low bytes first, each looked up by
 * its own address, as a narrow device sees them on a real bus. An address without a claim reads as all ones (a floating bus) and ignores
 * writes; it is stored for the outcome.
 */
export class Bus {
  readonly ports = new AddressSpace('port');
  readonly memory = new AddressSpace('memory');
  /** Usually undefined: then an access only costs a test of this field. */
  listener: AccessListener | undefined;
  /** All claims, in the order in which they were made. */
  readonly #claims: BusClaim[] = [];
  /** The claims that devices had from the start. */
  readonly #first: BusClaim[] = [];
  readonly #access = { space: 'port' as Access['space'], address: 0, size: 0, write: false };
  readonly #unclaimed = new Map<string, { -readonly [K in keyof UnclaimedAccess]: UnclaimedAccess[K] }>();
  readonly #msrs: (MsrRange & { readonly device: Device; readonly index: number })[] = [];
  /** The device that is being called, so that an error can name it. */
  #device: Device | undefined;
  /** A device accesses another one. */
  #isNested = false;
  readonly #scratch = new DataView(new ArrayBuffer(8));

  /** Claims the ranges that a device has from the start. @param index the device's number in its machine */
  add(device: Device, index: number): void {
    for (const range of device.ports ?? []) this.#first.push(this.claim(device, index, range));
    for (const range of device.msrs ?? []) this.#msrs.push({ ...range, device, index });
    for (const range of device.memory ?? []) this.#first.push(this.claim(device, index, range));
  }

  /** The claim that a device has from the start for this very range object. */
  claimOf(device: Device, range: PortRange | MemoryRange): BusClaim | undefined {
    return this.#first.find((claim) => claim.device === device && claim.range === range);
  }

  /** A new claim. @throws ConfigError where one of the same priority is in the way */
  claim(device: Device, index: number, range: PortRange | MemoryRange): BusClaim {
    const claim = new BusClaim('first' in range ? this.ports : this.memory, device, index, range);
    this.#claims.push(claim);
    return claim;
  }

  save(): ClaimState[] {
    return this.#claims.map(({ index, isHeld, address }) => ({
      device: index,
      address: isHeld ? address : null,
    }));
  }

  /** Moves each claim to its saved address. @throws RangeError for claims of another machine; ConfigError for invalid addresses */
  load(state: readonly ClaimState[]): void {
    const made = this.#claims.map(({ index }) => index).join();
    const said = state.map(({ device }) => device).join();
    if (said !== made) throw new RangeError(`it has claims of devices ${said}, and this machine of ${made}`);
    // One may take the address of another: all that move are hidden first.
    const moves = this.#claims.map((claim, i) => ({ claim, address: state[i]!.address }));
    for (const { claim, address } of moves) if (claim.address !== address) claim.release();
    for (const { claim, address } of moves) if (address !== null) claim.move(address);
  }

  get unclaimed(): readonly UnclaimedAccess[] {
    return [...this.#unclaimed.values()].map((access) => ({ ...access }));
  }

  /** Answers an `io` exit. Returns the number of the device that was asked first, -1 where there is none. */
  handlePort(exit: Exit): number {
    const { address, size, count, write, data } = exit;
    // Before the device is asked: it may move away.
    const index = this.ports.find(address)?.index ?? -1;
    let offset = exit.offset;
    try {
      let i = count > 1 && !write ? this.#readPorts(exit) : 0;
      offset += i * size;
      for (; i < count; i++) {
        if (write) this.#writePort(address, size as AccessSize, data, offset);
        else this.#readPort(address, size as AccessSize, data, offset);
        offset += size;
      }
    } catch (cause) {
      throw this.#deviceError(cause, exit, 'port');
    }
    return index;
  }

  /** Answers an `mmio` exit, as `handlePort` does. */
  handleMemory(exit: Exit): number {
    const { address, size, data, offset } = exit;
    const index = this.memory.find(address)?.index ?? -1;
    try {
      if (exit.write) this.#writeMemory(address, size, data, offset);
      else this.#readMemory(address, size, data, offset);
    } catch (cause) {
      throw this.#deviceError(cause, exit, 'address');
    }
    return index;
  }

  /** Answers an `msr` exit: where no device has the register, or refuses the value, the guest gets #GP. */
  handleMsr(exit: Exit): number {
    const { address, write, data, offset } = exit;
    const found = this.#msrs.find(({ first, count }) => address >= first && address < first + count);
    exit.refused = true;
    if (found === undefined) return -1;
    const { device, index } = found;
    this.#device = device;
    try {
      if (write) exit.refused = device.writeMsr?.(address, data.getBigUint64(offset, true)) !== true;
      else {
        const value = device.readMsr?.(address);
        exit.refused = value === undefined;
        data.setBigUint64(offset, value ?? 0n, true);
      }
    } catch (cause) {
      throw this.#deviceError(cause, exit, 'register');
    }
    return index;
  }

  /** An access of a device to another one, while it answers the guest: it is not counted as the guest's. */
  readForDevice(space: Access['space'], address: number, size: AccessSize): number {
    this.#nested(() => {
      if (space === 'port') this.#readPort(address, size, this.#scratch, 0);
      else this.#readMemory(address, size, this.#scratch, 0);
    });
    return fetch(this.#scratch, 0, size);
  }

  /** As `readForDevice`. */
  writeForDevice(space: Access['space'], address: number, size: AccessSize, value: number): void {
    store(this.#scratch, 0, size, value);
    this.#nested(() => {
      if (space === 'port') this.#writePort(address, size, this.#scratch, 0);
      else this.#writeMemory(address, size, this.#scratch, 0);
    });
  }

  #nested(access: () => void): void {
    const { listener } = this;
    const device = this.#device;
    this.listener = undefined;
    this.#isNested = true;
    try {
      access();
      // If it throws, the error names this device.
      this.#device = device;
    } finally {
      this.#isNested = false;
      this.listener = listener;
    }
  }

  /** The number of elements of string input that a device returns at once. A listener is called for each element. */
  #readPorts({ address, size, count, data, offset }: Exit): number {
    const claim = this.ports.find(address);
    const device = claim?.device;
    if (
      claim === undefined ||
      device?.readPorts === undefined ||
      claim.width < size ||
      this.listener !== undefined
    )
      return 0;
    this.#device = device;
    const into = new Uint8Array(data.buffer, data.byteOffset + offset, size * count);
    return device.readPorts(address, size as AccessSize, into);
  }

  #readPort(port: number, size: AccessSize, data: DataView, offset: number): void {
    const claim = this.ports.find(port);
    if (claim !== undefined && claim.width < size) {
      const width = claim.width as AccessSize;
      for (let at = 0; at < size; at += width) this.#readPort((port + at) & 0xffff, width, data, offset + at);
      return;
    }
    if (claim?.device.readPort === undefined) {
      this.#miss(claim, 'port', port, false);
      store(data, offset, size, 0xffffffff);
      return;
    }
    this.#device = claim.device;
    if (this.listener !== undefined) this.#tell(claim.device, 'port', port, size, false, offset);
    store(data, offset, size, claim.device.readPort(port, size));
  }

  #writePort(port: number, size: AccessSize, data: DataView, offset: number): void {
    const claim = this.ports.find(port);
    if (claim !== undefined && claim.width < size) {
      const width = claim.width as AccessSize;
      for (let at = 0; at < size; at += width)
        this.#writePort((port + at) & 0xffff, width, data, offset + at);
      return;
    }
    if (claim?.device.writePort === undefined) {
      this.#miss(claim, 'port', port, true);
      return;
    }
    this.#device = claim.device;
    if (this.listener !== undefined) this.#tell(claim.device, 'port', port, size, true, offset);
    doneAtOnce(claim.device.writePort(port, size, fetch(data, offset, size)));
  }

  #readMemory(address: number, size: number, data: DataView, offset: number): void {
    const claim = this.memory.find(address);
    const step = widest(size, claim?.width ?? 4);
    if (step < size) {
      this.#readMemory(address, step, data, offset);
      this.#readMemory(address + step, size - step, data, offset + step);
      return;
    }
    const device = claim?.device;
    if (step === 8 && device?.readMemory64 !== undefined) {
      this.#device = device;
      if (this.listener !== undefined) this.#tell(device, 'memory', address, step, false, offset);
      data.setBigUint64(offset, BigInt.asUintN(64, device.readMemory64(address)), true);
    } else if (step < 8 && device?.readMemory !== undefined) {
      this.#device = device;
      if (this.listener !== undefined) this.#tell(device, 'memory', address, step, false, offset);
      store(data, offset, step as AccessSize, device.readMemory(address, step as AccessSize));
    } else if (claim?.bytes !== undefined) {
      for (let at = 0; at < step; at++)
        data.setUint8(offset + at, claim.bytes[address + at - claim.address] ?? 0xff);
    } else {
      this.#miss(claim, 'memory', address, false);
      for (let at = 0; at < step; at++) data.setUint8(offset + at, 0xff);
    }
  }

  #writeMemory(address: number, size: number, data: DataView, offset: number): void {
    const claim = this.memory.find(address);
    const step = widest(size, claim?.width ?? 4);
    if (step < size) {
      this.#writeMemory(address, step, data, offset);
      this.#writeMemory(address + step, size - step, data, offset + step);
      return;
    }
    const device = claim?.device;
    if (step === 8 && device?.writeMemory64 !== undefined) {
      this.#device = device;
      if (this.listener !== undefined) this.#tell(device, 'memory', address, step, true, offset);
      device.writeMemory64(address, data.getBigUint64(offset, true));
    } else if (step < 8 && device?.writeMemory !== undefined) {
      this.#device = device;
      if (this.listener !== undefined) this.#tell(device, 'memory', address, step, true, offset);
      doneAtOnce(device.writeMemory(address, step as AccessSize, fetch(data, offset, step as AccessSize)));
    } else {
      this.#miss(claim, 'memory', address, true);
    }
  }

  #tell(
    device: Device,
    space: Access['space'],
    address: number,
    size: number,
    write: boolean,
    offset: number,
  ): void {
    const access = this.#access;
    access.space = space;
    access.address = address;
    access.size = size;
    access.write = write;
    this.listener?.access(device, access, offset);
  }

  #miss(claim: BusClaim | undefined, space: 'port' | 'memory', address: number, write: boolean): void {
    // A claimed range without a method for this direction is the device's choice, and not reported.
    if (claim !== undefined || this.#isNested) return;
    const key = `${space}${write}${address}`;
    const known = this.#unclaimed.get(key);
    if (known !== undefined) known.count++;
    else if (this.#unclaimed.size < UNCLAIMED_KEPT)
      this.#unclaimed.set(key, { space, address, write, count: 1 });
  }

  #deviceError(cause: unknown, exit: Exit, unit: 'port' | 'address' | 'register'): DeviceError {
    const verb = exit.write ? 'a write to' : 'a read of';
    const what = `${verb} ${unit} 0x${exit.address.toString(16)} (${exit.size} byte${exit.size === 1 ? '' : 's'})`;
    return new DeviceError(this.#device?.name ?? '?', what, cause);
  }
}

/** The widest power of two up to 8 that fits both the access and the device. */
function widest(size: number, width: number): number {
  let step = 8;
  while (step > size || step > width) step >>= 1;
  return step;
}

function fetch(data: DataView, offset: number, size: AccessSize): number {
  if (size === 1) return data.getUint8(offset);
  if (size === 2) return data.getUint16(offset, true);
  return data.getUint32(offset, true);
}

function store(data: DataView, offset: number, size: AccessSize, value: number): void {
  if (typeof value !== 'number') throw new TypeError(notANumber(value));
  if (size === 1) data.setUint8(offset, value);
  else if (size === 2) data.setUint16(offset, value, true);
  else data.setUint32(offset, value, true);
}

function notANumber(value: unknown): string {
  return isPromise(value)
    ? 'the handler returned a promise, and the guest waits for a number: a handler answers at once and is not async'
    : `the handler returned ${value === undefined ? 'nothing' : `a ${typeof value}`}, not a number`;
}

/** An error of an async handler would come too late for its access. */
function doneAtOnce(returned: unknown): void {
  if (isPromise(returned))
    throw new TypeError('the handler returned a promise: a handler is done when it returns');
}

function isPromise(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('then' in value)) return false;
  // Its result is of no use any more, and nothing else waits for it.
  void Promise.resolve(value).catch(() => {});
  return true;
}
