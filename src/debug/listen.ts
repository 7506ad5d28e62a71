/**
 * Where gdb connects: a port of the loopback interface, or a UNIX socket. The one file of this room that knows Node.
 *
 * @module
 */
import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { TerrariumError } from '../errors.js';
import { GdbStub } from './gdb/stub.js';
import type { DebugTarget } from './target.js';

export const DEFAULT_GDB_PORT = 1234;

/** How long a second gdb waits for the first to go, and how often it is looked: milliseconds. */
const PATIENCE_MS = 200;
const LOOK_MS = 5;

/** A port (0: any that is free), or a socket's path. */
export type GdbAddress = { port: number } | { path: string };

/** Serves one gdb at a time; the guest of `target` stands still until one lets it run. */
export async function serveGdb(target: DebugTarget, address: GdbAddress): Promise<GdbServer> {
  const server = new GdbServer(target);
  await server.listen(address);
  return server;
}

/** Made by `serveGdb`. */
export class GdbServer {
  /** Resolves when the guest is over for gdb, when it ended while no gdb was there, or with `close`. */
  readonly done: Promise<void>;
  readonly #target: DebugTarget;
  readonly #server: Server;
  #finish!: () => void;
  #finished = false;
  #client: { socket: Socket; stub?: GdbStub } | undefined;
  /** The guest runs without a debugger. */
  #free: Promise<void> | undefined;
  /** The last connection is being cleared up. */
  #leaving: Promise<void> = Promise.resolve();
  #where = '';

  /** @internal */
  constructor(target: DebugTarget) {
    this.#target = target;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#server = createServer((socket) => void this.#serve(socket));
  }

  /** What gdb's `target remote` takes. */
  get where(): string {
    return this.#where;
  }

  /** @internal */
  async listen(address: GdbAddress): Promise<void> {
    // Nobody but this computer: a debugger may do anything to the guest.
    const place = 'path' in address ? address : { ...address, host: '127.0.0.1' };
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(refused(address, error)));
      this.#server.listen(place, resolve);
    });
    if ('path' in address) chmodSync(address.path, 0o600);
    const bound = this.#server.address();
    this.#where = typeof bound === 'string' || bound === null ? String(bound) : `:${bound.port}`;
  }

  /** Ends it: gdb loses its connection, and a guest that runs is stopped. */
  async close(): Promise<void> {
    this.#over();
    await this.#leaving;
    await this.#halt();
  }

  /** A guest that runs freely stops, even if it is only about to run. */
  async #halt(): Promise<void> {
    while (this.#free !== undefined) {
      await this.#target.interrupt();
      await Promise.race([this.#free, pause(LOOK_MS)]);
    }
  }

  #over(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#server.close();
    this.#leave();
    void this.#leaving.then(this.#finish);
  }

  async #serve(socket: Socket): Promise<void> {
    socket.on('error', () => socket.destroy());
    socket.pause();
    // One that has just gone may not have been seen to go.
    for (let waited = 0; this.#client !== undefined && waited < PATIENCE_MS; waited += LOOK_MS)
      await pause(LOOK_MS);
    if (this.#client !== undefined || this.#finished || socket.destroyed) {
      socket.destroy();
      return;
    }
    const client: { socket: Socket; stub?: GdbStub } = { socket };
    this.#client = client;
    socket.on('close', () => {
      if (this.#client === client) this.#leave();
    });
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    await this.#leaving;
    await this.#halt();
    if (this.#client !== client) {
      socket.destroy();
      return;
    }
    const stub = new GdbStub(this.#target, {
      send: (text) => send(socket, text),
      detached: () => {
        this.#leave();
        this.#letRun();
      },
      over: () => this.#over(),
    });
    socket.on('data', (text: string) => {
      if (!stub.receive(text)) socket.destroy();
    });
    client.stub = stub;
    socket.resume();
  }

  /** The connection is over: the guest stands still, without breakpoints. */
  #leave(): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#client = undefined;
    client.socket.end();
    this.#leaving = client.stub?.close().catch(() => {}) ?? Promise.resolve();
  }

  #letRun(): void {
    const ran = this.#leaving.then(() => this.#target.release());
    this.#leaving = Promise.resolve();
    this.#free = ran
      .then(
        ({ why }) => why === 'end' && this.#over(),
        () => this.#over(),
      )
      .then(() => {
        this.#free = undefined;
      });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function send(socket: Socket, text: string): Promise<void> {
  if (socket.destroyed || socket.write(text, 'latin1')) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

function refused(address: GdbAddress, error: NodeJS.ErrnoException): TerrariumError {
  const where = 'path' in address ? address.path : `port ${address.port}`;
  const taken = error.code === 'EADDRINUSE';
  const hint = 'path' in address ? 'remove the file, or name another' : 'name another: --gdb=PORT';
  return new TerrariumError(
    'EGDB',
    `gdb cannot be served at ${where}: ${taken ? 'it is in use' : error.message}`,
    {
      hint,
      cause: error,
    },
  );
}
