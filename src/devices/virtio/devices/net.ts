/**
 * A network card (5.1): frames from the driver go to a backend, frames from the backend to the driver. The driver does
 * checksums and segmentation.
 *
 * @module
 */
import {
  DEFAULT_MAC,
  type DeviceHost,
  type InputSource,
  type InputStream,
  type NetworkPort,
} from '../../contract/index.js';
import { bytesField, stateFields } from '../../state.js';
import { Type } from '../constants.js';
import { VirtioDevice } from '../device.js';
import { type Chain, RingError, type VirtQueue } from '../queue/index.js';
import { ConfigBytes } from './config-bytes.js';

/** Feature bits (5.1.3). */
const NetFeature = { mtu: 3, mac: 5, status: 16 } as const;
const LINK_UP = 1;
/** A frame comes after this header, of which only the last field is used here: the number of buffers (5.1.6). */
const HEADER = 12;
const BUFFERS_AT = 10;
/** Without segmentation offload no frame is longer: 1500 bytes, two addresses, a type, a VLAN's tag. */
export const MOST_FRAME_BYTES = 1518;
const MOST_WAITING = 256;

/** Frames that wait for a guest, for backends that push them. Frames that do not fit are lost, as on a wire. */
export class FrameQueue implements InputSource<Uint8Array> {
  readonly #frames: Uint8Array[] = [];

  push(frame: Uint8Array): void {
    if (frame.length <= MOST_FRAME_BYTES && this.#frames.length < MOST_WAITING)
      this.#frames.push(Uint8Array.from(frame));
  }

  get available(): boolean {
    return this.#frames.length > 0;
  }

  read(): Uint8Array | undefined {
    return this.#frames.shift();
  }
}

/** Sends each frame back: for tests. */
export function loopback(): NetworkPort {
  const frames = new FrameQueue();
  return { frames, transmit: (frame) => frames.push(frame) };
}

/** See the module's comment. */
export class VirtioNet extends VirtioDevice {
  readonly #port: NetworkPort;
  readonly #config: ConfigBytes;
  #frames: InputStream<Uint8Array> | undefined;
  /** The received frame that has no buffer yet. */
  #waiting: Uint8Array | undefined;
  /** Frames for which a driver's buffer was too small. */
  lost = 0;

  constructor(name: string, port: NetworkPort) {
    super({
      name,
      type: Type.net,
      features: [NetFeature.mtu, NetFeature.mac, NetFeature.status],
      queues: [{ name: 'receive' }, { name: 'transmit' }],
      configSize: 12,
    });
    this.#port = port;
    this.#config = new ConfigBytes(12).set(6, 2, LINK_UP).set(8, 2, 1).set(10, 2, 1500);
    this.#config.bytes.set((port.mac ?? DEFAULT_MAC).slice(0, 6));
  }

  protected override attached(host: DeviceHost): void {
    // An address may be the host's choice.
    this.#config.bytes.set(host.inputs.ask('address', () => this.#address));
    this.#frames = host.inputs.stream('frames', this.#port.frames, () => this.act(this.queues[0]!));
  }

  get #address(): number[] {
    return [...this.#config.bytes.subarray(0, 6)];
  }

  override dispose(): void {
    this.#port.dispose?.();
  }

  override canAct(): boolean {
    return this.isLive && this.#frames?.open === true;
  }

  protected override configByte(offset: number): number {
    return this.#config.at(offset);
  }

  protected serve(queue: VirtQueue): void {
    if (queue.index === 0) this.#receive(queue);
    else this.drain(queue, (chain) => this.#transmit(chain));
  }

  #transmit(chain: Chain): number {
    const length = chain.readableLength - HEADER;
    if (length < 0)
      throw new RingError(`a frame has a header of ${chain.readableLength} bytes, not ${HEADER}`);
    if (length <= MOST_FRAME_BYTES) this.#port.transmit(chain.read(HEADER, length));
    else this.lost++;
    return 0;
  }

  #receive(queue: VirtQueue): void {
    for (let left = queue.size; left > 0; left--) {
      this.#waiting ??= this.#frames?.read();
      if (this.#waiting === undefined) return;
      const chain = this.take(queue);
      if (chain === undefined) return;
      queue.ring?.push(chain, this.#fill(chain, this.#waiting));
      this.#waiting = undefined;
    }
  }

  #fill(chain: Chain, frame: Uint8Array): number {
    if (chain.writableLength < HEADER + frame.length || frame.length > MOST_FRAME_BYTES) {
      this.lost++;
      return 0;
    }
    const header = new Uint8Array(HEADER);
    header[BUFFERS_AT] = 1;
    chain.write(0, header);
    return HEADER + chain.write(HEADER, frame);
  }

  protected override resetOwn(): void {
    this.#waiting = undefined;
  }

  protected override saveOwn() {
    return { waiting: this.#waiting === undefined ? null : [...this.#waiting], address: this.#address };
  }

  protected override loadOwn(state: unknown): void {
    const { waiting, address } = stateFields(this.name, state, this.saveOwn());
    this.#config.bytes.set(bytesField(this.name, 'address', address, 6));
    if (waiting !== null)
      this.#waiting = Uint8Array.from(bytesField(this.name, 'waiting', waiting, MOST_FRAME_BYTES));
  }
}
