import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { TerrariumError } from '../errors.js';
import { ControlConnection } from './connection.js';
import type { ConsoleHistory } from './history.js';
import { InputQueue } from './input-queue.js';
import { MAX_CONNECTIONS, type MachineEnd, type MachineStatus } from './protocol.js';

/** How long those who are attached have to take what is left of the console when the guest has ended: milliseconds. */
const FAREWELL_MS = 1000;

/** What of a machine can be asked and done from outside; a hosted machine, or a test's. */
export interface Controlled {
  status(): Omit<MachineStatus, 'attached' | 'printed'>;
  /** Resolves when the guest has stopped. */
  stop(): Promise<void>;
  /** Resolves when the serial port has taken the bytes. */
  send(bytes: Uint8Array): Promise<void>;
}

/**
 * The control socket of one machine: any number of programs may look at its console and type on it, up to
 * `MAX_CONNECTIONS` at a time. A peer costs the machine a fixed amount of memory at most, and never holds up
 * the guest.
 */
export class ControlServer {
  readonly #machine: Controlled;
  readonly #history: ConsoleHistory;
  readonly #path: string;
  readonly #connections = new Set<ControlConnection>();
  readonly #input: InputQueue;
  #server: Server | undefined;

  constructor(path: string, machine: Controlled, history: ConsoleHistory) {
    this.#path = path;
    this.#machine = machine;
    this.#history = history;
    this.#input = new InputQueue((bytes) => machine.send(bytes));
  }

  /** Resolves when the socket answers. */
  async listen(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new TerrariumError('ESOCKET', `${this.#path}: ${cause.message}`, { cause })),
      );
      server.listen(this.#path, resolve);
    });
    // The folder keeps others out already; this is for those who look.
    chmodSync(this.#path, 0o600);
    // What fails now is one connection (EMFILE); the machine goes on.
    server.on('error', () => {});
    // A machine's end is its guest's, not its socket's.
    server.unref();
  }

  /** New bytes are in the history. */
  printed(): void {
    for (const connection of this.#connections) connection.pump();
  }

  /** The guest has ended: those who are attached get the rest of its console and how it ended. Resolves when all have gone. */
  async close(end: MachineEnd | undefined): Promise<void> {
    this.#server?.close();
    rmSync(this.#path, { force: true });
    this.#input.close();
    const gone = [...this.#connections].map((connection) => connection.farewell(end));
    const late = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, FAREWELL_MS);
    await Promise.all(gone);
    clearTimeout(late);
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
      gone: () => this.#connections.delete(connection),
    });
    if (this.#connections.size >= MAX_CONNECTIONS) {
      connection.refuse({
        code: 'EBUSY',
        message: `${name} has ${MAX_CONNECTIONS} connections, which is as many as it takes`,
        hint: 'detach somewhere else first',
      });
    } else {
      this.#connections.add(connection);
      connection.greet();
    }
  }
}
