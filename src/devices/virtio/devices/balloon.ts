/**
 * A balloon (5.5): the driver gives up pages of its RAM, as many as the host requests, and may take them back. Only the
 * list of these pages is kept here; their bytes do not move.
 *
 * @module
 */
import type { DeviceHost } from '../../contract/index.js';
import { DeviceStateError, stateFields } from '../../state.js';
import { Type } from '../constants.js';
import { VirtioDevice } from '../device.js';
import type { Chain, VirtQueue } from '../queue/index.js';
import { ConfigBytes } from './config-bytes.js';

/** Feature bits (5.5.3). */
const BalloonFeature = { deflateOnOom: 2 } as const;
const PAGE = 4096;
const INFLATE = 0;
/** Pages that are read from a buffer. */
const MOST_PAGES = 4096;
/** The size that the host requests, in configuration bytes 0 to 3, and the size that the driver reports, in 4 to 7. */
const ACTUAL = 4;

/** See the module's comment. */
export class VirtioBalloon extends VirtioDevice {
  readonly #config = new ConfigBytes(16);
  #pages = new Uint8Array(0);
  #count = 0;
  #wish: (pages: number) => void = (pages) => this.#wished(pages);

  constructor(name = 'virtio-balloon') {
    super({
      name,
      type: Type.balloon,
      features: [BalloonFeature.deflateOnOom],
      queues: [{ name: 'inflate' }, { name: 'deflate' }],
      configSize: 16,
    });
  }

  protected override attached(host: DeviceHost): void {
    // Pages of RAM from address 0 on.
    const most = host.memory.regions.reduce(
      (end, { address, size, ofDevice }) => (ofDevice ? end : Math.max(end, address + size)),
      0,
    );
    this.#pages = new Uint8Array(Math.ceil(most / PAGE / 8));
    this.#wish = host.inputs.port('size', (pages: number) => this.#wished(pages));
  }

  /** Requests this many pages of the driver's RAM. */
  inflateTo(pages: number): void {
    this.#wish(pages);
  }

  /** Pages that the driver has given up. */
  get size(): number {
    return this.#count;
  }

  /** Was this page given up? */
  holds(page: number): boolean {
    return ((this.#pages[page >> 3] ?? 0) & (1 << (page & 7))) !== 0;
  }

  #wished(pages: number): void {
    this.#config.set(0, 4, pages);
    this.configChanged();
  }

  protected override configByte(offset: number): number {
    return this.#config.at(offset);
  }

  override writeConfig(offset: number, size: number, value: number): void {
    for (let i = 0; i < size; i++)
      if (offset + i >= ACTUAL && offset + i < ACTUAL + 4)
        this.#config.set(offset + i, 1, Math.floor(value / 256 ** i) & 0xff);
  }

  protected serve(queue: VirtQueue): void {
    this.drain(queue, (chain) => {
      this.#take(chain, queue.index);
      return 0;
    });
  }

  #take(chain: Chain, queue: number): void {
    const bytes = chain.read(0, 4 * MOST_PAGES);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at + 4 <= bytes.length; at += 4) this.#mark(view.getUint32(at, true), queue === INFLATE);
  }

  #mark(page: number, away: boolean): void {
    const byte = Math.floor(page / 8);
    if (byte >= this.#pages.length || this.holds(page) === away) return;
    this.#pages[byte]! ^= 1 << (page & 7);
    this.#count += away ? 1 : -1;
  }

  protected override resetOwn(): void {
    this.#pages.fill(0);
    this.#count = 0;
    this.#config.set(ACTUAL, 4, 0);
  }

  protected override saveOwn() {
    return { wish: this.readConfig(0, 4), actual: this.readConfig(ACTUAL, 4), pages: runsOf(this.#pages) };
  }

  protected override loadOwn(state: unknown): void {
    const { name } = this;
    const { wish, actual, pages } = stateFields(name, state, this.saveOwn());
    this.#config.set(0, 4, wholeField(name, 'wish', wish)).set(ACTUAL, 4, wholeField(name, 'actual', actual));
    if (!Array.isArray(pages) || pages.length > 8 * this.#pages.length)
      throw new DeviceStateError(name, "'pages' is no list of runs of pages");
    for (const run of pages as unknown[]) {
      const [first, count] = Array.isArray(run) ? (run as unknown[]) : [];
      const [from, length] = [wholeField(name, 'pages', first), wholeField(name, 'pages', count)];
      if (from + length > 8 * this.#pages.length)
        throw new DeviceStateError(name, `'pages' has page ${from + length}, which is beyond RAM`);
      for (let page = from; page < from + length; page++) this.#mark(page, true);
    }
  }
}

/** The bits that are set, as first bits and lengths. */
function runsOf(bits: Uint8Array): [first: number, count: number][] {
  const runs: [number, number][] = [];
  for (let bit = 0; bit < 8 * bits.length; bit++) {
    if (!(bits[bit >> 3]! & (1 << (bit & 7)))) continue;
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === bit) last[1]++;
    else runs.push([bit, 1]);
  }
  return runs;
}

function wholeField(device: string, field: string, value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32)
    return value as number;
  throw new DeviceStateError(device, `'${field}' is ${String(value)}`);
}
