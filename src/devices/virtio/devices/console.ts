/**
 * A console (5.3): bytes in both directions through several ports, some of which are terminals. Messages on two more
 * queues announce the ports, and which sides have them open.
 *
 * @module
 */
import type { ByteSink, ByteSource, DeviceHost, InputStream } from '../../contract/index.js';
import { booleanField, bytesField, DeviceStateError, registerField, stateFields } from '../../state.js';
import { Type } from '../constants.js';
import { VirtioDevice } from '../device.js';
import type { VirtQueue } from '../queue/index.js';
import { ConfigBytes } from './config-bytes.js';

/** Feature bits (5.3.3). */
const ConsoleFeature = { size: 0, multiport: 1, emergency: 2 } as const;

/** Events of the control queues (5.3.6.2). */
const Event = {
  deviceReady: 0,
  add: 1,
  remove: 2,
  portReady: 3,
  isConsole: 4,
  resize: 5,
  open: 6,
  name: 7,
} as const;
const MESSAGE = 8;
const CONTROL_RECEIVE = 2;
const CONTROL_TRANSMIT = 3;
const EMERGENCY = 8;
/** Bytes from the host that go into a buffer at once, and messages that wait for a buffer, for each port. */
const MOST_INPUT = 4096;
const MESSAGES_A_PORT = 8;
const LONGEST_NAME = 64;

export interface PortOptions {
  /** Its name for the guest: `/dev/virtio-ports/NAME`. */
  readonly name: string;
  readonly output: ByteSink;
  readonly input?: ByteSource | undefined;
  /** It is a terminal: Linux's `hvc0` and so on. */
  readonly isTerminal?: boolean;
}

export interface TerminalSize {
  columns: number;
  rows: number;
}

/** The queues of a port: the first one's come before the control queues. */
const queueOf = (port: number) => (port === 0 ? 0 : 2 + 2 * port);
const portOf = (queue: number) => (queue < 2 ? 0 : (queue >> 1) - 1);

class Port {
  readonly options: PortOptions;
  input: InputStream<number> | undefined;
  /** The guest has it open. Before its first message, and without messages, it counts as open. */
  isOpen = false;
  /** Read from the source, but not yet by the guest. */
  waiting: number[] = [];

  constructor(options: PortOptions) {
    this.options = options;
  }
}

/** See the module's comment. */
export class VirtioConsole extends VirtioDevice {
  readonly #ports: readonly Port[];
  readonly #config: ConfigBytes;
  #size: TerminalSize;
  #resized: (size: TerminalSize) => void = (size) => this.#resize(size);
  #messages: number[][] = [];

  /** @param ports 1 to 31; a driver without messages uses port 0 only */
  constructor(name: string, ports: readonly PortOptions[], size: TerminalSize = { columns: 80, rows: 25 }) {
    if (ports.length < 1 || ports.length > 31) throw new RangeError(`a console with ${ports.length} ports`);
    super({
      name,
      type: Type.console,
      features: [ConsoleFeature.size, ConsoleFeature.multiport, ConsoleFeature.emergency],
      queues: Array.from({ length: 2 + 2 * ports.length }, (_, index) => ({
        name:
          index === CONTROL_RECEIVE || index === CONTROL_TRANSMIT
            ? `control ${index === CONTROL_RECEIVE ? 'receive' : 'transmit'}`
            : `port ${portOf(index)} ${index % 2 ? 'transmit' : 'receive'}`,
        maximum: 64,
      })),
      configSize: 12,
    });
    this.#ports = ports.map((options) => new Port(options));
    this.#size = size;
    this.#config = new ConfigBytes(12).set(4, 4, ports.length);
    this.#tellSize();
  }

  protected override attached(host: DeviceHost): void {
    for (const [index, port] of this.#ports.entries())
      port.input = host.inputs.stream(`port ${index}`, port.options.input, () => this.#fill(index));
    this.#resized = host.inputs.port('size', (size: TerminalSize) => this.#resize(size));
  }

  /** The terminal of port 0 has another size. */
  resize(size: TerminalSize): void {
    this.#resized(size);
  }

  #resize({ columns, rows }: TerminalSize): void {
    this.#size = { columns: columns & 0xffff, rows: rows & 0xffff };
    this.#tellSize();
    this.configChanged();
    if (!this.has(ConsoleFeature.multiport) || !this.isLive) return;
    this.#saySize();
    this.act(this.queues[CONTROL_RECEIVE]!);
  }

  #saySize(): void {
    if (!this.has(ConsoleFeature.size)) return;
    this.#say(0, Event.resize, 0, [...half(this.#size.columns), ...half(this.#size.rows)]);
  }

  #tellSize(): void {
    this.#config.set(0, 2, this.#size.columns).set(2, 2, this.#size.rows);
  }

  override canAct(): boolean {
    return this.isLive && this.#ports.some(({ input }) => input?.open === true);
  }

  protected override configByte(offset: number): number {
    return this.#config.at(offset);
  }

  /** A character before any queue is set up (5.3.4). */
  override writeConfig(offset: number, _size: number, value: number): void {
    if (offset === EMERGENCY) this.#ports[0]!.options.output(Uint8Array.of(value & 0xff));
  }

  protected serve(queue: VirtQueue): void {
    if (queue.index === CONTROL_RECEIVE) this.#sendMessages(queue);
    else if (queue.index === CONTROL_TRANSMIT) this.#takeMessages(queue);
    else if (queue.index % 2 === 1) this.#print(queue);
    else this.#give(queue);
  }

  #print(queue: VirtQueue): void {
    const { output } = this.#ports[portOf(queue.index)]!.options;
    this.drain(queue, (chain) => {
      for (const piece of chain.readable) output(Uint8Array.from(chain.view(piece, false)));
      return 0;
    });
  }

  #fill(port: number): void {
    this.act(this.queues[queueOf(port)]!);
  }

  /** Passes the guest the bytes for a port. */
  #give(queue: VirtQueue): void {
    const port = this.#ports[portOf(queue.index)]!;
    if (!port.isOpen && this.has(ConsoleFeature.multiport)) return;
    for (let left = queue.size; left > 0; left--) {
      this.#takeInput(port);
      if (port.waiting.length === 0) return;
      const chain = this.take(queue);
      if (chain === undefined) return;
      const written = chain.write(0, Uint8Array.from(port.waiting));
      port.waiting = port.waiting.slice(written);
      queue.ring?.push(chain, written);
    }
  }

  #takeInput(port: Port): void {
    while (port.waiting.length < MOST_INPUT) {
      const byte = port.input?.read();
      if (byte === undefined) return;
      port.waiting.push(byte);
    }
  }

  #say(port: number, event: number, value: number, more: readonly number[] = []): void {
    // A driver that reads none does not need all of them.
    if (this.#messages.length >= MESSAGES_A_PORT * this.#ports.length) return;
    this.#messages.push([...half(port), 0, 0, ...half(event), ...half(value), ...more]);
  }

  #sendMessages(queue: VirtQueue): void {
    while (this.#messages.length > 0) {
      const chain = this.take(queue);
      if (chain === undefined) return;
      queue.ring?.push(chain, chain.write(0, Uint8Array.from(this.#messages.shift()!)));
    }
  }

  #takeMessages(queue: VirtQueue): void {
    if (!this.has(ConsoleFeature.multiport)) return;
    this.drain(queue, (chain) => {
      const bytes = chain.read(0, MESSAGE);
      if (bytes.length === MESSAGE) {
        const view = new DataView(bytes.buffer);
        this.#heard(view.getUint32(0, true), view.getUint16(4, true), view.getUint16(6, true));
      }
      return 0;
    });
    this.act(this.queues[CONTROL_RECEIVE]!);
    for (const index of this.#ports.keys()) this.#fill(index);
  }

  #heard(id: number, event: number, value: number): void {
    if (event === Event.deviceReady) {
      if (value === 1) for (const index of this.#ports.keys()) this.#say(index, Event.add, 0);
      return;
    }
    const port = this.#ports[id];
    if (port === undefined) return;
    if (event === Event.open) port.isOpen = value === 1;
    if (event !== Event.portReady || value !== 1) return;
    const { name, isTerminal } = port.options;
    if (isTerminal) this.#say(id, Event.isConsole, 1);
    if (isTerminal && id === 0) this.#saySize();
    const text = new TextEncoder().encode(name).subarray(0, LONGEST_NAME);
    this.#say(id, Event.name, 1, [...text, 0]);
    this.#say(id, Event.open, 1);
  }

  protected override resetOwn(): void {
    this.#messages = [];
    for (const port of this.#ports) {
      port.isOpen = false;
      port.waiting = [];
    }
  }

  protected override saveOwn() {
    return {
      size: { ...this.#size },
      messages: this.#messages.map((message) => [...message]),
      ports: this.#ports.map(({ isOpen, waiting }) => ({ isOpen, waiting: [...waiting] })),
    };
  }

  protected override loadOwn(state: unknown): void {
    const { name } = this;
    const { size, messages, ports } = stateFields(name, state, this.saveOwn());
    const { columns, rows } = stateFields(name, size, this.#size);
    this.#size = {
      columns: registerField(name, 'columns', columns, 0xffff),
      rows: registerField(name, 'rows', rows, 0xffff),
    };
    this.#tellSize();
    const most = MESSAGES_A_PORT * this.#ports.length;
    if (!Array.isArray(messages) || messages.length > most)
      throw new DeviceStateError(name, `'messages' are more than ${most}`);
    this.#messages = messages.map((message) =>
      bytesField(name, 'messages', message, MESSAGE + LONGEST_NAME + 1),
    );
    if (!Array.isArray(ports) || ports.length !== this.#ports.length)
      throw new DeviceStateError(name, `'ports' are not ${this.#ports.length}`);
    for (const [i, port] of this.#ports.entries()) {
      const { isOpen, waiting } = stateFields(name, ports[i], { isOpen: false, waiting: [] });
      port.isOpen = booleanField(name, 'isOpen', isOpen);
      port.waiting = bytesField(name, 'waiting', waiting, MOST_INPUT);
    }
  }
}

const half = (value: number) => [value & 0xff, (value >> 8) & 0xff];
