/**
 * A machine's networks, on the machine's thread: each has its own thread, since a running guest blocks the event loop.
 *
 * @module
 */
import { Worker } from 'node:worker_threads';
import type { MachineSpec, NetworkSpec } from '../../config/index.js';
import { DEFAULT_MAC, type InputSource } from '../../devices/contract/index.js';
import { TerrariumError } from '../../errors.js';
import { parseMac } from '../../net/index.js';
import type { MachineNetwork } from '../../pc/index.js';
import { Link, LinkState, type NetworkCall, NetworkLink, type NetworkStart } from './channel.js';
import { PcapFile } from './pcap-file.js';

/** How long its thread may take to start: milliseconds. It takes 30 or so, on a host with other work seconds. */
const START_MS = 30_000;
/** How long a card waits for room on the wire before its frame is lost: milliseconds. The thread handles a full ring in less. */
const ROOM_MS = 200;

/** A network could not be opened: names it, and says what to do. */
export class NetworkError extends TerrariumError {
  constructor(message: string, hint?: string) {
    super('ENETWORK', message, hint === undefined ? {} : { hint });
  }
}

/**
 * Opens the networks that a machine's description names; undefined where it names none.
 * @throws NetworkError; then none is open
 */
export function openNetworks({ nets = [] }: MachineSpec): readonly MachineNetwork[] | undefined {
  if (nets.length === 0) return undefined;
  const open: NetworkHost[] = [];
  try {
    for (const [index, spec] of nets.entries()) open.push(new NetworkHost(spec, index));
    return open;
  } catch (error) {
    for (const one of open) one.dispose();
    throw error;
  }
}

/** Networks without traffic, for a repeated run. */
export function unplugged({ nets = [] }: MachineSpec): readonly MachineNetwork[] | undefined {
  if (nets.length === 0) return undefined;
  const frames = { read: () => undefined, available: false };
  return nets.map(({ kind, model = 'virtio' }) => {
    return { model, frames, takesLarge: kind === 'user', transmit() {} };
  });
}

class NetworkHost implements MachineNetwork {
  readonly mac: Uint8Array;
  readonly model: 'e1000' | 'virtio';
  readonly takesLarge: boolean;
  readonly frames: InputSource<Uint8Array>;
  readonly #link = new NetworkLink();
  readonly #worker: Worker;
  readonly #pcap: PcapFile | undefined;
  #now: () => number = () => 0;
  #isOpen = true;

  constructor(spec: NetworkSpec, index: number) {
    this.model = spec.model ?? 'virtio';
    this.mac = (spec.mac === undefined ? undefined : parseMac(spec.mac)) ?? addressOf(spec, index);
    this.takesLarge = spec.kind === 'user';
    this.#pcap = spec.pcap === undefined ? undefined : new PcapFile(spec.pcap);
    const start: NetworkStart = { spec, buffers: this.#link.buffers };
    this.#worker = new Worker(new URL(import.meta.resolve('#network')), { workerData: start });
    this.#worker.unref();
    // Its frames stop: a thread that failed does not come back.
    this.#worker.on('error', () => this.#end());
    const { control } = this.#link;
    Atomics.wait(control, Link.state, LinkState.starting, START_MS);
    const state = Atomics.load(control, Link.state);
    if (state !== LinkState.open) {
      this.dispose();
      throw failure(state === LinkState.failed ? this.#link.text : undefined);
    }
    this.frames = this.#source();
  }

  #source(): InputSource<Uint8Array> {
    const { toGuest, control } = this.#link;
    const hasRoom = () => this.#link.wakeNetwork();
    const read = () => {
      const frame = toGuest.read(hasRoom);
      if (frame === undefined) return undefined;
      this.#pcap?.add(this.#now(), frame);
      return frame;
    };
    const handled = () => Atomics.load(control, Link.handled) === Atomics.load(control, Link.wake);
    return {
      read,
      get available() {
        Atomics.store(control, Link.called, 0);
        return !toGuest.isEmpty;
      },
      get awaits() {
        return !handled() || Atomics.load(control, Link.expects) === 1;
      },
    };
  }

  begin({ control, hostKernel, now }: Parameters<NonNullable<MachineNetwork['begin']>>[0]): void {
    this.#now = now;
    this.#worker.postMessage({ control, hostKernel } satisfies NetworkCall);
  }

  transmit(frame: Uint8Array): void {
    if (!this.#isOpen) return;
    this.#pcap?.add(this.#now(), frame);
    const { toNetwork, control } = this.#link;
    for (const limit = performance.now() + ROOM_MS; !toNetwork.write(frame); ) {
      this.#link.wakeNetwork();
      const seen = Atomics.load(control, Link.handled);
      if (performance.now() > limit) {
        toNetwork.noteLost();
        return;
      }
      Atomics.wait(control, Link.handled, seen, 5);
    }
    this.#link.wakeNetwork();
  }

  #end(): void {
    this.#isOpen = false;
    Atomics.store(this.#link.control, Link.expects, 0);
    Atomics.store(this.#link.control, Link.handled, Atomics.load(this.#link.control, Link.wake));
  }

  dispose(): void {
    if (this.#isOpen) this.#worker.postMessage('end');
    this.#isOpen = false;
    this.#pcap?.close();
  }
}

/** Each card has an address of its own, and on a switch each machine. */
function addressOf({ kind }: NetworkSpec, index: number): Uint8Array {
  const mac = Uint8Array.from(DEFAULT_MAC);
  mac[5]! += index;
  if (kind !== 'user') crypto.getRandomValues(mac.subarray(3));
  return mac;
}

/** The thread's error: a message and a hint. */
function failure(text: string | undefined): NetworkError {
  if (text === undefined)
    return new NetworkError('the network’s thread did not start', 'try again; the host may be busy');
  const { message, hint } = JSON.parse(text) as { message: string; hint?: string };
  return new NetworkError(message, hint);
}
