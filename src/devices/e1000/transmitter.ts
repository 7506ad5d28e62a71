/** Frames out of the transmit ring (8254x 3.3): descriptors of three kinds, and the parts of a frame. */
import type { GuestMemory } from '../../memory/index.js';
import { decodeBase64, encodeBase64 } from '../base64.js';
import { DeviceStateError, registerField, stateFields } from '../state.js';
import { addressIn, DESCRIPTOR, type Ring, readDescriptor, writeBack } from './ring.js';
import { Command, divided, noOffload, type Offload, putChecksum } from './segments.js';

const Bit = { endOfPacket: 1, insertChecksum: 4, reportStatus: 8, extended: 0x20 } as const;
const DIVIDES = 4;
const Option = { ip: 1, transport: 2 } as const;
const DATA = 1;
const DONE = 1;
/** The largest frame that can be divided, with its header. */
const MOST_FRAME = 65_536 + 256;

export interface TransmitterState {
  offload: Offload;
  frame: string;
  length: number;
  options: number;
  divides: boolean;
}

/** See the file's comment. */
export class Transmitter {
  readonly #send: (frame: Uint8Array) => void;
  readonly #takesLarge: boolean;
  readonly #frame = new Uint8Array(MOST_FRAME);
  #length = 0;
  #offload: Offload = { ...noOffload };
  /** The options of the frame's first descriptor. */
  #options = 0;
  #divides = false;

  constructor(send: (frame: Uint8Array) => void, takesLarge: boolean) {
    this.#send = send;
    this.#takesLarge = takesLarge;
  }

  reset(): void {
    this.#length = 0;
    this.#offload = { ...noOffload };
    this.#options = 0;
    this.#divides = false;
  }

  /** Takes one descriptor. True where its status was to be reported. */
  take(memory: GuestMemory, ring: Ring, index: number): boolean {
    const descriptor = readDescriptor(memory, ring, index);
    if (descriptor === undefined) return false;
    const word = descriptor.getUint32(8, true);
    const command = word >>> 24;
    if (!(command & Bit.extended)) this.#takeLegacy(memory, descriptor, word);
    else if (((word >>> 20) & 15) === DATA) this.#takeData(memory, descriptor, word);
    else this.#takeContext(descriptor, word);
    if (!(command & Bit.reportStatus)) return false;
    const status = Uint8Array.of(descriptor.getUint8(12) | DONE);
    writeBack(memory, ring.base + index * DESCRIPTOR + 12, status);
    return true;
  }

  #takeLegacy(memory: GuestMemory, descriptor: DataView, word: number): void {
    this.#gather(memory, addressIn(descriptor), word & 0xffff);
    if (!((word >>> 24) & Bit.endOfPacket)) return;
    const frame = this.#taken();
    const [at, start] = [(word >>> 16) & 0xff, descriptor.getUint8(13)];
    if ((word >>> 24) & Bit.insertChecksum) putChecksum(frame, start, 0, at);
    this.#send(frame);
  }

  #takeContext(descriptor: DataView, word: number): void {
    this.#offload = {
      ipStart: descriptor.getUint8(0),
      ipChecksum: descriptor.getUint8(1),
      ipEnd: descriptor.getUint16(2, true),
      start: descriptor.getUint8(4),
      checksum: descriptor.getUint8(5),
      end: descriptor.getUint16(6, true),
      headerLength: descriptor.getUint8(13),
      segmentSize: descriptor.getUint16(14, true),
      command: (word >>> 24) & (Command.tcp | Command.ipv4 | Command.divide),
    };
  }

  #takeData(memory: GuestMemory, descriptor: DataView, word: number): void {
    if (this.#length === 0) {
      this.#options = descriptor.getUint8(13) & (Option.ip | Option.transport);
      this.#divides = ((word >>> 24) & DIVIDES) !== 0;
    }
    this.#gather(memory, addressIn(descriptor), word & 0xf_ffff);
    if (!((word >>> 24) & Bit.endOfPacket)) return;
    const frame = this.#taken();
    const frames = this.#divides ? divided(frame, this.#offload, this.#takesLarge) : [frame];
    for (const one of frames) {
      const { ipStart, ipEnd, ipChecksum, start, end, checksum } = this.#offload;
      if (this.#options & Option.transport) {
        // The driver's partial sum is already there, and is included.
        putChecksum(one, start, end, checksum);
      }
      if (this.#options & Option.ip) {
        if (ipChecksum + 2 <= one.length) one.fill(0, ipChecksum, ipChecksum + 2);
        putChecksum(one, ipStart, ipEnd, ipChecksum);
      }
      this.#send(one);
    }
  }

  /** Adds a buffer's bytes. Bytes beyond the largest frame and outside of RAM are left out. */
  #gather(memory: GuestMemory, address: number, length: number): void {
    const room = Math.min(length, MOST_FRAME - this.#length);
    if (room === 0 || !memory.contains(address, room)) return;
    this.#frame.set(memory.peek(address, room), this.#length);
    this.#length += room;
  }

  #taken(): Uint8Array {
    const frame = this.#frame.slice(0, this.#length);
    this.#length = 0;
    return frame;
  }

  save(): TransmitterState {
    return {
      offload: { ...this.#offload },
      frame: encodeBase64(this.#frame.subarray(0, this.#length)),
      length: this.#length,
      options: this.#options,
      divides: this.#divides,
    };
  }

  load(device: string, state: unknown): void {
    const { offload, frame, length, options, divides } = stateFields(device, state, this.save());
    const fields = stateFields(device, offload, noOffload);
    for (const [name, value] of Object.entries(fields))
      this.#offload[name as keyof Offload] = registerField(device, `offload.${name}`, value, 0xffff);
    const size = registerField(device, 'length', length, 0x1_ffff);
    const bytes = typeof frame === 'string' && size <= MOST_FRAME ? decodeBase64(frame, size) : undefined;
    if (bytes === undefined) throw new DeviceStateError(device, `'frame' is not ${size} bytes`);
    this.#frame.set(bytes);
    this.#length = size;
    this.#options = registerField(device, 'options', options, 3);
    this.#divides = divides === true;
  }
}
