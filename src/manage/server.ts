import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { TerrariumError } from '../errors.js';
import { ControlConnection } from './connection.js';
import type { ConsoleHistory } from './history.js';
import { InputQueue } from './input-queue.js';
import { MAX_CONNECTIONS, type MachineEnd, type MachineStatus } from './protocol.js';

/** How long attached connections may take to read the rest of the console after the guest's end: milliseconds. */
const CLOSE_TIMEOUT_MS = 1000;

/** Writes the state of the machine, which goes on, to a file with an absolute path. */
export type Snapshotter = (file: string) => Promise<{ bytes: number }>;

/** The part of a machine that the control socket uses; a hosted machine, or a test's. */
export interface Controlled {
  status(): Omit<MachineStatus, 'attached' | 'printed'>;
  /** Resolves when the guest has stopped. */
  stop(): Promise<void>;
  /** Presses the power button; false where there is none. */
  pressPowerButton(): boolean;
  /** Resolves when the serial port has taken the bytes. */
  send(bytes: Uint8Array): Promise<void>;
  /** Missing where it cannot. */
  snapshot?: Snapshotter;
}

/**
 * The control socket of one machine: programs read its console and type on it, up to `MAX_CONNECTIONS` at the same time. A peer
 * costs the machine at most a fixed amount of memory, and never delays the guest.
 */
export class ControlServer {
  readonly #machine: Controlled;
  readonly #history: ConsoleHistory;
  readonly #path: string;
  readonly #connections = new Set<ControlConnection>();
  readonly #input: InputQueue;
  #server: Server | undefined;
  #snapshots: Promise<unknown> = Promise.resolve();

  constructor(path: string, machine: Controlled, history: ConsoleHistory) {
    this.#path = path;
    this.#machine = machine;
    this.#history = history;
    this.#input = new InputQueue((bytes) => machine.send(bytes));
  }

  /** Resolves when the socket accepts connections. */
  async listen(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new TerrariumError('ESOCKET', `${this.#path}: ${cause.message}`, { cause })),
      );
      server.listen(this.#path, resolve);
    });
    // The folder already keeps other users out; this makes it explicit.
    chmodSync(this.#path, 0o600);
    // A later error concerns one connection (EMFILE); the machine continues.
    server.on('error', () => {});
    // The socket does not keep the process alive.
    server.unref();
  }

  /** New bytes are in the history. */
  printed(): void {
    for (const connection of this.#connections) connection.pump();
  }

  /** The guest has ended: attached connections get the rest of its console and its outcome. Resolves when all are closed. */
  async close(end: MachineEnd | undefined): Promise<void> {
    this.#server?.close();
    rmSync(this.#path, { force: true });
    this.#input.close();
    const gone = [...this.#connections].map((connection) => connection.farewell(end));
    const late = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, CLOSE_TIMEOUT_MS);
    await Promise.all(gone);
    clearTimeout(late);
  }

  /** One after the other: a state may be as large as the guest's memory. */
  #snapshot(file: string): Promise<{ bytes: number }> {
    const { snapshot } = this.#machine;
    if (snapshot === undefined)
      return Promise.reject(new TerrariumError('ESTATE', 'this machine cannot write a snapshot'));
    const done = this.#snapshots.then(() => snapshot(file));
    this.#snapshots = done.catch(() => {});
    return done;
  }

  #accept(socket: Socket): void {
    const { name, pid } = this.#machine.status();
    const connection = new ControlConnection(socket, {
      name,
      pid,
      history: this.#history,
      input: this.#input,
      status: () => ({
        ...this.#machine.status(),
        printed: this.#history.end,
        attached: [...this.#connections].filter(({ attached }) => attached).length,
      }),
      stop: () => this.#machine.stop(),
      snapshot: (file) => this.#snapshot(file),
      pressPowerButton: () => this.#machine.pressPowerButton(),
      gone: () => this.#connections.delete(connection),
    });
    if (this.#connections.size >= MAX_CONNECTIONS) {
      connection.refuse({
        code: 'EBUSY',
        message: `${name} has ${MAX_CONNECTIONS} connections, which is the maximum`,
        hint: 'detach another one first',
      });
    } else {
      this.#connections.add(connection);
      connection.greet();
    }
  }
}
