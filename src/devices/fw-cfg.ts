/**
 * QEMU's firmware configuration (docs/specs/fw_cfg): items by number and files by name, which a firmware reads byte by byte or by DMA.
 *
 * @module
 */
import type { Access, AccessSize, AccessWords, Device, DeviceHost, PortRange } from './contract/index.js';
import { registerField, stateFields } from './state.js';
import { bits, hex, names, words } from './words.js';

const SELECTOR = 0x510;
const DATA = 0x511;
const DMA = 0x514;
const Item = { signature: 0, id: 1, files: 0x19, firstFile: 0x20 } as const;
/** Bits of a selector: it writes; the item is specific to the architecture. */
const WRITE = 0x4000;
const ID = { traditional: 1, dma: 2 } as const;
const NAME = 56;
const ENTRY = 64;
/** The DMA address registers read as this. */
const DMA_SIGNATURE = 'QEMU CFG';
const Control = { error: 1, read: 2, skip: 4, select: 8, write: 16 } as const;

/** The items and files for a machine's firmware. */
export interface FwCfgContents {
  /** Items by number, in addition to the standard ones. */
  readonly items?: Readonly<Record<number, Uint8Array>>;
  /** Files by name, such as `etc/e820`. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

export interface FwCfgState {
  selector: number;
  offset: number;
  dmaHigh: number;
}

/** See the module's comment. */
export class FwCfg implements Device {
  readonly name = 'fw-cfg';
  readonly ports: readonly PortRange[] = [
    { first: SELECTOR, count: 1, width: 2 },
    { first: DATA, count: 1, width: 1 },
    { first: DMA, count: 8, width: 4 },
  ];
  readonly #items = new Map<number, Uint8Array>();
  #host: DeviceHost | undefined;
  #selector = 0;
  #offset = 0;
  #dmaHigh = 0;

  constructor({ items = {}, files = {} }: FwCfgContents = {}) {
    const text = (says: string) => Uint8Array.from(says, (one) => one.charCodeAt(0));
    this.#items.set(Item.signature, text('QEMU'));
    this.#items.set(Item.id, Uint8Array.of(ID.traditional | ID.dma, 0, 0, 0));
    for (const [number, bytes] of Object.entries(items)) this.#items.set(Number(number), bytes);
    const sorted = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
    const directory = new DataView(new ArrayBuffer(4 + sorted.length * ENTRY));
    directory.setUint32(0, sorted.length);
    for (const [i, [name, bytes]] of sorted.entries()) {
      const at = 4 + i * ENTRY;
      directory.setUint32(at, bytes.length);
      directory.setUint16(at + 4, Item.firstFile + i);
      for (let n = 0; n < Math.min(name.length, NAME - 1); n++)
        directory.setUint8(at + 8 + n, name.charCodeAt(n));
      this.#items.set(Item.firstFile + i, bytes);
    }
    this.#items.set(Item.files, new Uint8Array(directory.buffer));
  }

  attach(host: DeviceHost): void {
    this.#host = host;
  }

  get #item(): Uint8Array {
    return this.#items.get(this.#selector & ~WRITE) ?? nothing;
  }

  /** After an item's end there are zeros. */
  #next(): number {
    const byte = this.#item[this.#offset] ?? 0;
    if (this.#offset < 2 ** 31) this.#offset++;
    return byte;
  }

  readPort(port: number, size: AccessSize): number {
    if (port === DATA) return this.#next();
    if (port < DMA) return 0;
    let value = 0;
    // Big-endian: the first byte of the signature is at the lowest port.
    for (let i = size - 1; i >= 0; i--) value = value * 256 + DMA_SIGNATURE.charCodeAt((port - DMA + i) & 7);
    return value;
  }

  writePort(port: number, size: AccessSize, value: number): void {
    if (port === SELECTOR) {
      this.#selector = value & 0xffff;
      this.#offset = 0;
    } else if (size === 4 && port === DMA) this.#dmaHigh = swap(value);
    else if (size === 4 && port === DMA + 4) {
      const address = this.#dmaHigh * 2 ** 32 + swap(value);
      this.#dmaHigh = 0;
      this.#transfer(address);
    }
  }

  /** A structure in memory has the command: control, length, address, all big-endian. */
  #transfer(at: number): void {
    const memory = this.#host?.memory;
    if (memory === undefined || !memory.contains(at, 16)) return;
    const request = new DataView(memory.readBytes(at, 16).buffer);
    const [control, length] = [request.getUint32(0), request.getUint32(4)];
    const address = Number(request.getBigUint64(8));
    if (control & Control.select) {
      this.#selector = control >>> 16;
      this.#offset = 0;
    }
    let failed = (control & Control.write) !== 0;
    if (control & Control.read) failed ||= !this.#readTo(address, length);
    else if (control & Control.skip) this.#offset = Math.min(2 ** 31, this.#offset + length);
    const done = new Uint8Array(4);
    if (failed) done[3] = Control.error;
    if (memory.find(at, 16)?.readOnly !== true) memory.writeBytes(at, done);
  }

  #readTo(address: number, length: number): boolean {
    const memory = this.#host!.memory;
    const region = length === 0 ? undefined : memory.find(address, length);
    if (length === 0) return true;
    if (region === undefined || region.readOnly) return false;
    const to = memory.view(address, length);
    const from = this.#item.subarray(this.#offset, this.#offset + length);
    to.set(from);
    to.fill(0, from.length);
    this.#offset = Math.min(2 ** 31, this.#offset + length);
    return true;
  }

  describeAccess({ address }: Access): AccessWords {
    if (address === SELECTOR) return described.selector;
    if (address === DATA) return described.data;
    return address < DMA + 4 ? described.dmaHigh : described.dmaLow;
  }

  save(): FwCfgState {
    return { selector: this.#selector, offset: this.#offset, dmaHigh: this.#dmaHigh };
  }

  load(state: unknown): void {
    const { selector, offset, dmaHigh } = stateFields(this.name, state, this.save());
    this.#selector = registerField(this.name, 'selector', selector, 0xffff);
    this.#offset =
      Number.isInteger(offset) && (offset as number) >= 0 ? Math.min(offset as number, 2 ** 31) : 0;
    this.#dmaHigh = Number.isInteger(dmaHigh) ? (dmaHigh as number) >>> 0 : 0;
  }
}

const nothing = new Uint8Array();

const swap = (value: number) =>
  (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;

const described = {
  selector: words(
    'fw_cfg selector',
    (value) => names({ 0: 'signature', 1: 'ID', 25: 'directory of files' })(value) || hex(value),
  ),
  data: words('fw_cfg data'),
  dmaHigh: words('fw_cfg DMA address, high'),
  dmaLow: words('fw_cfg DMA address, low', bits()),
} as const;
