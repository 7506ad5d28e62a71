import type { Socket } from 'node:net';
import { TerrariumError } from '../errors.js';
import type { ConsoleHistory } from './history.js';
import type { InputQueue } from './input-queue.js';
import { LineReader } from './lines.js';
import {
  MAX_CHUNK,
  MAX_LINE,
  type MachineEnd,
  type MachineStatus,
  type Message,
  PROTOCOL_VERSION,
  type ProtocolError,
  parseRequest,
  type Request,
} from './protocol.js';

/** How many inputs of one connection may wait at the same time. */
const MAX_INPUTS = 4;
/** How many requests of one connection may wait for their answers before no more are read. */
const MAX_PENDING = 16;

/** How long a peer may take to read why it is refused: milliseconds. */
const REFUSAL_MS = 1000;

/** What a connection needs from its machine. */
export interface ConnectionHost {
  readonly name: string;
  readonly pid: number;
  readonly history: ConsoleHistory;
  readonly input: InputQueue;
  status(): MachineStatus;
  stop(): Promise<void>;
  snapshot(file: string): Promise<{ bytes: number }>;
  pressPowerButton(): boolean;
  /** The connection has ended. */
  gone(): void;
}

/**
 * The machine's end of one connection.
 *
 * Console output is not queued here: an attached connection remembers its position in the shared history, and continues when
 * its socket has room. One that falls behind the oldest byte is told how many bytes it lost. No more requests are read while
 * their answers are not read. So a peer that reads nothing costs no more than one that reads everything.
 */
export class ControlConnection {
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #lines = new LineReader(MAX_LINE);
  /** Position in the history of the next byte to send; undefined where it is not attached. */
  #cursor: number | undefined;
  #inputs = 0;
  #pending = 0;
  #ending: { end: MachineEnd | undefined } | undefined;
  #closed: Promise<void>;

  constructor(socket: Socket, host: ConnectionHost) {
    this.#socket = socket;
    this.#host = host;
    this.#closed = new Promise((resolve) =>
      socket.once('close', () => {
        host.input.forget(this);
        host.gone();
        resolve();
      }),
    );
    socket.on('error', () => socket.destroy());
    socket.on('drain', () => {
      this.#throttle();
      this.pump();
    });
  }

  get attached(): boolean {
    return this.#cursor !== undefined;
  }

  greet(): void {
    const { name, pid } = this.#host;
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#send({ terrarium: PROTOCOL_VERSION, name, pid });
  }

  /** Sends the reason, and ends the connection. */
  refuse(error: ProtocolError): void {
    this.#send({ event: 'bye', error });
    // Later bytes are ignored; but they must be read, so that the socket sees its end.
    this.#cursor = undefined;
    this.#socket.removeAllListeners('data');
    this.#socket.destroySoon();
    // A peer that does not read this either is cut off.
    setTimeout(() => this.#socket.destroy(), REFUSAL_MS).unref();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Sends as much of the history as the socket accepts. */
  pump(): void {
    const { history } = this.#host;
    while (this.#cursor !== undefined && this.#cursor < history.end && !this.#full) {
      if (this.#cursor < history.start) {
        this.#send({ event: 'lost', bytes: history.start - this.#cursor });
        this.#cursor = history.start;
      }
      const bytes = history.read(this.#cursor, MAX_CHUNK);
      this.#cursor += bytes.length;
      this.#send({ event: 'console', data: bytes.toString('base64') });
    }
    const told = this.#cursor === undefined || this.#cursor === history.end;
    if (this.#ending !== undefined && told && this.#pending === 0) {
      if (this.#ending.end !== undefined) this.#send({ event: 'end', end: this.#ending.end });
      this.#ending = undefined;
      this.#socket.destroySoon();
    }
  }

  /** Sends the rest of the console and how the guest ended; resolves when the connection has ended. */
  farewell(end: MachineEnd | undefined): Promise<void> {
    this.#ending = { end };
    this.pump();
    return this.#closed;
  }

  get #full(): boolean {
    return this.#socket.destroyed || this.#socket.writableLength >= MAX_LINE;
  }

  #receive(chunk: Buffer): void {
    const lines = this.#lines.push(chunk);
    for (const line of lines ?? []) {
      if (!this.#take(line)) {
        this.refuse({ code: 'EPROTOCOL', message: 'this is not a request' });
        return;
      }
    }
    if (lines === undefined) {
      this.refuse({ code: 'EPROTOCOL', message: `a message has at most ${MAX_LINE} bytes` });
    } else this.#throttle();
  }

  /** Continues to read only where there is room for answers. */
  #throttle(): void {
    if (this.#full || this.#pending >= MAX_PENDING) this.#socket.pause();
    else this.#socket.resume();
  }

  /** False where the line is not a request. */
  #take(line: string): boolean {
    const parsed = parseRequest(line);
    if (parsed === undefined) return false;
    if ('error' in parsed) this.#send(parsed);
    else void this.#answer(parsed.request);
    return true;
  }

  async #answer(request: Request): Promise<void> {
    const { id } = request;
    // An input may wait for as long as the guest runs, so this does not wait for it.
    const counted = request.do === 'input' ? 0 : 1;
    this.#pending += counted;
    try {
      const ok = await this.#do(request);
      this.#send({ id, ok: ok ?? null });
      if (request.do === 'attach') this.#attach(request.replay);
    } catch (error) {
      const { code = 'EINTERNAL', message, hint } = error as TerrariumError;
      this.#send({ id, error: { code, message, ...(hint !== undefined && { hint }) } });
    }
    this.#pending -= counted;
    this.#throttle();
    this.pump();
  }

  #do(request: Request): unknown {
    switch (request.do) {
      case 'status':
        return this.#host.status();
      case 'stop':
        return this.#host.stop();
      case 'snapshot':
        return this.#host.snapshot(request.file);
      case 'power':
        if (this.#host.pressPowerButton()) return undefined;
        throw new TerrariumError('ENOBUTTON', `${this.#host.name} has no power button`, {
          hint: 'a whole PC has one: --machine pc',
        });
      case 'attach':
        return undefined;
      case 'detach':
        this.#cursor = undefined;
        return undefined;
      case 'input':
        return this.#input(request.data);
    }
  }

  #attach(replay: number): void {
    const { start, end } = this.#host.history;
    this.#cursor = Math.max(start, end - replay);
  }

  async #input(data: Buffer): Promise<void> {
    const taken = this.#inputs < MAX_INPUTS ? this.#host.input.add(this, data) : undefined;
    if (taken === undefined) {
      throw new TerrariumError('EFULL', 'the guest has not read the earlier input', {
        hint: 'wait for the answer to an input before the next one',
      });
    }
    this.#inputs++;
    const sent = await taken;
    this.#inputs--;
    if (!sent) throw new TerrariumError('EENDED', 'the guest ended before it read that');
  }

  #send(message: Message): void {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.write(`${JSON.stringify(message)}\n`);
  }
}
