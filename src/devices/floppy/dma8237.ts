/**
 * The DMA controllers of a PC: two 8237A (Intel 231466), the first for bytes and the second for words, and the page
 * registers that hold the upper bits of their addresses. A device that moves data requests its channel; the controller
 * does nothing by itself.
 *
 * @module
 */
import type { Access, AccessSize, AccessWords, Device, DeviceHost, PortRange } from '../contract/index.js';
import { booleanField, DeviceStateError, registerField, stateFields } from '../state.js';
import { bits, words } from '../words.js';

const FIRST = 0x00;
const SECOND = 0xc0;
const PAGES = 0x81;
/** Which channel each page register is for, from port 81h on (PC/AT). */
const pageChannels = [2, 3, 1, -1, -1, -1, 0, -1, 6, 7, 5, -1, -1, -1, -1] as const;

/** Mode register (231466, mode register). */
const Mode = { transfer: 0x0c, toMemory: 0x04, fromMemory: 0x08, auto: 0x10, down: 0x20 } as const;

interface Channel {
  address: number;
  count: number;
  baseAddress: number;
  baseCount: number;
  mode: number;
}

const fresh = (): Channel => ({ address: 0, count: 0, baseAddress: 0, baseCount: 0, mode: 0 });
const channelFields = ['address', 'count', 'baseAddress', 'baseCount', 'mode'] as const;

export interface DmaState {
  channels: Channel[];
  pages: number[];
  masks: number[];
  status: number[];
  commands: number[];
  high: boolean[];
}

/** The result of a transfer. */
export interface DmaMoved {
  readonly bytes: number;
  /** The count ran out (terminal count). */
  readonly ended: boolean;
}

/** See the module's comment. */
export class Dma8237 implements Device {
  readonly name = 'dma';
  readonly ports: readonly PortRange[] = [
    { first: FIRST, count: 16, width: 1 },
    { first: SECOND, count: 32, width: 1 },
    { first: PAGES, count: pageChannels.length, width: 1 },
  ];
  readonly #channels = Array.from({ length: 8 }, fresh);
  readonly #pages = new Uint8Array(pageChannels.length);
  /** By controller. */
  readonly #masks = [15, 15];
  readonly #status = [0, 0];
  readonly #commands = [0, 0];
  /** The byte pointer: the next access is to the high byte. */
  readonly #high = [false, false];
  #host: DeviceHost | undefined;

  attach(host: DeviceHost): void {
    this.#host = host;
  }

  /**
   * Moves at most `bytes.length` bytes between a device and memory. Addresses outside of RAM ignore writes and read as
   * all ones.
   * @param toMemory the device's direction; a channel that is programmed for the other direction moves nothing
   */
  move(channel: number, bytes: Uint8Array, toMemory: boolean): DmaMoved {
    const it = this.#channels[channel]!;
    const controller = channel >> 2;
    const off = (this.#masks[controller]! >> (channel & 3)) & 1 || this.#commands[controller]! & 4;
    const transfer = it.mode & Mode.transfer;
    const verifies = transfer === 0;
    if (off || (!verifies && (transfer === Mode.toMemory) !== toMemory)) return { bytes: 0, ended: false };
    const length = Math.min(bytes.length, it.count + 1);
    const page = this.#pages[(pageChannels as readonly number[]).indexOf(channel)]! * 0x1_0000;
    if (!verifies) this.#copy(page, it, bytes.subarray(0, length), toMemory);
    const step = it.mode & Mode.down ? -length : length;
    it.address = (it.address + step) & 0xffff;
    const ended = length === it.count + 1;
    it.count = (it.count - length) & 0xffff;
    if (ended) {
      this.#status[controller]! |= 1 << (channel & 3);
      if (it.mode & Mode.auto) [it.address, it.count] = [it.baseAddress, it.baseCount];
      else this.#masks[controller]! |= 1 << (channel & 3);
    }
    return { bytes: length, ended };
  }

  /** The address wraps in its 64 KiB. */
  #copy(page: number, { address, mode }: Channel, bytes: Uint8Array, toMemory: boolean): void {
    const memory = this.#host?.memory;
    const straight = !(mode & Mode.down) && address + bytes.length <= 0x1_0000;
    const region = straight ? memory?.find(page + address, bytes.length) : undefined;
    if (memory !== undefined && region !== undefined) {
      if (!toMemory) bytes.set(memory.peek(page + address, bytes.length));
      else if (!region.readOnly) memory.writeBytes(page + address, bytes);
      return;
    }
    for (const [i, byte] of bytes.entries()) {
      const at = page + ((mode & Mode.down ? address - i : address + i) & 0xffff);
      const found = memory?.find(at, 1);
      if (!toMemory) bytes[i] = found === undefined ? 0xff : memory!.peek(at, 1)[0]!;
      else if (found !== undefined && !found.readOnly) memory!.writeBytes(at, Uint8Array.of(byte));
    }
  }

  readPort(port: number): number {
    if (port >= PAGES && port < SECOND) return this.#pages[port - PAGES]!;
    const [controller, register] = place(port);
    if (register < 8) {
      const it = this.#channels[controller * 4 + (register >> 1)]!;
      return this.#half(controller, register & 1 ? it.count : it.address);
    }
    if (register === 8) {
      const status = this.#status[controller]!;
      this.#status[controller] = 0;
      return status;
    }
    return register === 15 ? this.#masks[controller]! : 0;
  }

  #half(controller: number, value: number): number {
    const high = this.#high[controller]!;
    this.#high[controller] = !high;
    return high ? value >> 8 : value & 0xff;
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    if (port >= PAGES && port < SECOND) {
      this.#pages[port - PAGES] = value;
      return;
    }
    const [controller, register] = place(port);
    const bit = 1 << (value & 3);
    if (register < 8) this.#write(controller, register, value);
    else if (register === 8) this.#commands[controller] = value;
    else if (register === 10) {
      if (value & 4) this.#masks[controller]! |= bit;
      else this.#masks[controller]! &= ~bit;
    } else if (register === 11) this.#channels[controller * 4 + (value & 3)]!.mode = value;
    else if (register === 12) this.#high[controller] = false;
    else if (register === 13) {
      this.#masks[controller] = 15;
      this.#status[controller] = 0;
      this.#commands[controller] = 0;
      this.#high[controller] = false;
    } else if (register === 14) this.#masks[controller] = 0;
    else if (register === 15) this.#masks[controller] = value & 15;
  }

  #write(controller: number, register: number, value: number): void {
    const it = this.#channels[controller * 4 + (register >> 1)]!;
    const high = this.#high[controller]!;
    this.#high[controller] = !high;
    const put = (before: number) => (high ? (before & 0xff) | (value << 8) : (before & 0xff00) | value);
    if (register & 1) {
      it.baseCount = put(it.baseCount);
      it.count = it.baseCount;
    } else {
      it.baseAddress = put(it.baseAddress);
      it.address = it.baseAddress;
    }
  }

  describeAccess({ address, write }: Access): AccessWords {
    if (address >= PAGES && address < SECOND) return pageWords[address - PAGES]!;
    const [controller, register] = place(address);
    return registerWords[controller]![write ? 'write' : 'read'][register]!;
  }

  save(): DmaState {
    return {
      channels: this.#channels.map((channel) => ({ ...channel })),
      pages: [...this.#pages],
      masks: [...this.#masks],
      status: [...this.#status],
      commands: [...this.#commands],
      high: [...this.#high],
    };
  }

  load(state: unknown): void {
    const { channels, pages, masks, status, commands, high } = stateFields(this.name, state, this.save());
    const list = (field: string, value: unknown, length: number): unknown[] => {
      if (!Array.isArray(value) || value.length !== length)
        throw new DeviceStateError(this.name, `'${field}' is not a list of ${length}`);
      return value;
    };
    const bytes = (field: string, value: unknown, length: number, mask = 0xff) =>
      list(field, value, length).map((one, i) => registerField(this.name, `${field}[${i}]`, one, mask));
    const checked = list('channels', channels, 8).map((one, i) => {
      const fields = stateFields(this.name, one, fresh());
      const read = channelFields.map((field) =>
        registerField(this.name, `channels[${i}].${field}`, fields[field], 0xffff),
      );
      return Object.fromEntries(channelFields.map((field, n) => [field, read[n]!])) as unknown as Channel;
    });
    const pointers = list('high', high, 2).map((one, i) => booleanField(this.name, `high[${i}]`, one));
    this.#pages.set(bytes('pages', pages, pageChannels.length));
    for (const [field, value, into, mask] of [
      ['masks', masks, this.#masks, 15],
      ['status', status, this.#status, 15],
      ['commands', commands, this.#commands, 0xff],
    ] as const)
      for (const [i, one] of bytes(field, value, 2, mask).entries()) into[i] = one;
    for (const [i, one] of checked.entries()) Object.assign(this.#channels[i]!, one);
    for (const [i, one] of pointers.entries()) this.#high[i] = one;
  }
}

/** Controller and register of a port; the second one's are two ports apart. */
function place(port: number): readonly [controller: number, register: number] {
  return port >= SECOND ? [1, (port - SECOND) >> 1] : [0, port & 15];
}

const registerWords = ['first', 'second'].map((name, i) => {
  const is = (register: string, says?: (value: number) => string) =>
    words(`${name} DMA controller ${register}`, says);
  const channels = [0, 1, 2, 3].flatMap((n) => [
    is(`channel ${i * 4 + n}, address`),
    is(`channel ${i * 4 + n}, count`),
  ]);
  const channel = (value: number) => `channel ${i * 4 + (value & 3)}`;
  const masks = is('masks', bits('0', '1', '2', '3'));
  return {
    read: [...channels, is('status'), ...new Array(6).fill(is('temporary')), masks],
    write: [
      ...channels,
      is('command'),
      is('request', channel),
      is('mask', (value) => `${channel(value)} ${value & 4 ? 'off' : 'on'}`),
      is(
        'mode',
        (value) =>
          `${channel(value)}, ${['verify', 'to memory', 'from memory', 'illegal'][(value >> 2) & 3]!}`,
      ),
      is('byte pointer'),
      is('master clear'),
      is('clear masks'),
      masks,
    ],
  };
});
const pageWords = pageChannels.map((channel) =>
  words(channel < 0 ? 'DMA page, spare' : `DMA page of channel ${channel}`),
);
