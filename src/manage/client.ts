import { connect, type Socket } from 'node:net';
import { isTerrariumError, TerrariumError } from '../errors.js';
import { LineReader } from './lines.js';
import {
  isObject,
  isStatus,
  MAX_CHUNK,
  MAX_LINE,
  type MachineEnd,
  type MachineStatus,
  type Message,
  PROTOCOL_VERSION,
  parseMessage,
} from './protocol.js';

interface Pending {
  resolve(ok: unknown): void;
  reject(error: Error): void;
}

/** The console events of a connection. */
export interface ConsoleEvents {
  /** Bytes that the guest printed. The next ones wait while a promise is pending; a slow reader loses some. */
  onOutput(bytes: Uint8Array): unknown;
  /** That many bytes are missing here: this side was too slow, or they are no longer kept. */
  onLost?(bytes: number): void;
}

/** Opens a connection to a machine's control socket. */
export async function openConnection(path: string, limitMs: number): Promise<ControlClient> {
  const client = new ControlClient(connect(path));
  try {
    await within(limitMs, client.greeting);
    return client;
  } catch (error) {
    client[Symbol.dispose]();
    throw error;
  }
}

/** This side of a connection to a machine; made by `openConnection`. */
export class ControlClient implements Disposable {
  /** Resolves when the machine has sent its greeting. */
  readonly greeting: Promise<void>;
  /** Resolves when the connection has ended: with how the guest ended, or undefined where it ended before. */
  readonly ended: Promise<MachineEnd | undefined>;
  readonly #socket: Socket;
  readonly #lines = new LineReader(MAX_LINE);
  readonly #pending = new Map<number, Pending>();
  #console: ConsoleEvents | undefined;
  #nextId = 1;
  #end: MachineEnd | undefined;
  #failure: Error | undefined;
  #greeted!: () => void;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.greeting = new Promise((resolve, reject) => {
      this.#greeted = resolve;
      this.#pending.set(0, { resolve, reject });
    });
    this.ended = new Promise((resolve) =>
      socket.once('close', () => {
        this.#fail(new TerrariumError('EGONE', 'the machine closed the connection'));
        resolve(this.#end);
      }),
    );
    socket.on('error', (cause) => this.#fail(gone(cause)));
    void this.#read();
  }

  async status(limitMs?: number): Promise<MachineStatus> {
    const asked = this.#ask({ do: 'status' });
    const status = await (limitMs === undefined ? asked : within(limitMs, asked));
    if (!isStatus(status)) throw this.#breakOff('the status is invalid');
    return status;
  }

  async stop(): Promise<void> {
    await this.#ask({ do: 'stop' });
  }

  /** Has the machine's state written to a file, by its absolute path. */
  async snapshot(file: string): Promise<{ bytes: number }> {
    const done = await this.#ask({ do: 'snapshot', file });
    const bytes = isObject(done) ? done.bytes : undefined;
    if (!Number.isSafeInteger(bytes)) throw this.#breakOff('the answer to a snapshot is invalid');
    return { bytes: bytes as number };
  }

  /** @throws TerrariumError ENOBUTTON where the machine has no power button */
  async pressPowerButton(): Promise<void> {
    await this.#ask({ do: 'power' });
  }

  /** Reads the console from now on, after its last `replay` bytes. */
  async attach(replay: number, events: ConsoleEvents): Promise<void> {
    this.#console = events;
    await this.#ask({ do: 'attach', replay });
  }

  /** Types on the guest's serial port; resolves when it has taken all of it. */
  async send(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; from += MAX_CHUNK) {
      const chunk = bytes.subarray(from, from + MAX_CHUNK);
      await this.#ask({ do: 'input', data: Buffer.from(chunk).toString('base64') });
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #ask(request: Record<string, unknown>): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#socket.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }

  /** One chunk after the other: while a sink is slow the socket is not read, and the machine drops bytes that do not fit. */
  async #read(): Promise<void> {
    try {
      for await (const chunk of this.#socket) {
        for (const line of this.#lines.push(chunk as Buffer) ?? [undefined]) {
          const message = line === undefined ? undefined : parseMessage(line);
          if (message === undefined) throw this.#breakOff('it does not speak the control protocol');
          await this.#take(message);
        }
      }
    } catch (error) {
      this.#fail(isTerrariumError(error) ? error : gone(error as Error));
      this.#socket.destroy();
    }
  }

  async #take(message: Message): Promise<void> {
    if ('terrarium' in message) {
      if (message.terrarium !== PROTOCOL_VERSION) {
        throw this.#breakOff(
          `it speaks version ${message.terrarium} of the control protocol, not ${PROTOCOL_VERSION}`,
        );
      }
      this.#greeted();
    } else if ('event' in message) {
      if (message.event === 'console') await this.#console?.onOutput(Buffer.from(message.data, 'base64'));
      else if (message.event === 'lost') this.#console?.onLost?.(message.bytes);
      else if (message.event === 'end') this.#end = message.end;
      else throw rebuilt(message.error);
    } else {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if ('error' in message) pending?.reject(rebuilt(message.error));
      else pending?.resolve(message.ok);
    }
  }

  #breakOff(why: string): TerrariumError {
    this.#socket.destroy();
    return new TerrariumError('EPROTOCOL', `the machine sent an invalid message: ${why}`);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
  }
}

function rebuilt({ code, message, hint }: { code: string; message: string; hint?: string }): TerrariumError {
  return new TerrariumError(code, message, hint === undefined ? {} : { hint });
}

function gone(cause: Error): TerrariumError {
  return new TerrariumError('EGONE', `the machine does not answer: ${cause.message}`, { cause });
}

/** The result of the promise, or an error where it takes too long. */
export async function within<T>(limitMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new TerrariumError('ESILENT', `the machine did not answer within ${limitMs} ms`)),
      limitMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
