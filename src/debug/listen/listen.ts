/**
 * The connections of debuggers: a port of the loopback interface, or a UNIX socket. The only file of this room that imports Node.
 *
 * @module
 */
import { createServer, type Server, type Socket } from 'node:net';
import { TerrariumError } from '../../errors.js';
import type { SymbolTable } from '../../symbols/index.js';
import { speaksGdb } from '../gdb/packets.js';
import { GdbStub } from '../gdb/stub.js';
import type { DebugTarget } from '../target.js';

export const DEFAULT_GDB_PORT = 1234;

/** How long a second gdb waits for the first to disconnect, and how often this is checked: milliseconds. */
const TIMEOUT_MS = 200;
const LOOK_MS = 5;

/** Connections that are open at once, and how long one may be silent before its first byte: gdb speaks first, and at once. */
export const MAX_CONNECTIONS = 8;
const SILENCE_MS = 10_000;

/** A port of the loopback interface (0: any that is free), which every user of this computer can reach, or a socket's path. */
export type DebugAddress = { port: number } | { path: string };

/**
 * Listens for a debugger, which may do anything to the guest: at a port, only for this computer; at a socket's path, only for
 * this user. Gives the port or the path.
 */
export async function listenLocally(server: Server, address: DebugAddress): Promise<number | string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if ('port' in address) server.listen({ port: address.port, host: '127.0.0.1' }, resolve);
    else {
      // Not even for a moment may another user access the socket. It is made before `listen` returns.
      const before = process.umask(0o177);
      server.listen(address.path, resolve);
      process.umask(before);
    }
  });
  const bound = server.address();
  return typeof bound === 'string' || bound === null ? String(bound) : bound.port;
}

export interface ServeOptions {
  /** How long a connection may be silent before its first byte, in milliseconds. */
  silenceMs?: number;
  /** The names that `monitor` commands know, read on first use. */
  symbols?: () => SymbolTable;
}

/**
 * Serves one gdb at a time; the guest of `target` is stopped until one lets it run.
 */
export async function serveGdb(
  target: DebugTarget,
  address: DebugAddress,
  options: ServeOptions = {},
): Promise<GdbServer> {
  const server = new GdbServer(target, options);
  await server.listen(address);
  return server;
}

/** Made by `serveGdb`. */
export class GdbServer {
  /** Resolves when the guest has ended for gdb, when it ended while no gdb was connected, or with `close`. */
  readonly done: Promise<void>;
  readonly #target: DebugTarget;
  readonly #server: Server;
  readonly #silenceMs: number;
  readonly #symbols: (() => SymbolTable) | undefined;
  #finish!: () => void;
  #finished = false;
  #client: { socket: Socket; stub?: GdbStub } | undefined;
  /** The guest runs without a debugger. */
  #free: Promise<void> | undefined;
  /** The last connection is being cleaned up. */
  #leaving: Promise<void> = Promise.resolve();
  #where = '';

  /** @internal */
  constructor(target: DebugTarget, { silenceMs = SILENCE_MS, symbols }: ServeOptions) {
    this.#target = target;
    this.#silenceMs = silenceMs;
    this.#symbols = symbols;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#server = createServer((socket) => this.#meet(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** The argument of gdb's `target remote`. */
  get where(): string {
    return this.#where;
  }

  /** @internal */
  async listen(address: DebugAddress): Promise<void> {
    try {
      const where = await listenLocally(this.#server, address);
      this.#where = typeof where === 'number' ? `:${where}` : where;
    } catch (error) {
      throw refused(address, error as NodeJS.ErrnoException);
    }
  }

  /** Ends it: gdb loses its connection, and a guest that runs is stopped. */
  async close(): Promise<void> {
    this.#over();
    await this.#leaving;
    await this.#halt();
  }

  /** Stops a guest that runs without a debugger, even if it is only about to run. */
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

  /** Ignores a peer until its first bytes show that it is a gdb: the guest does not even stop for it. */
  #meet(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.setTimeout(this.#silenceMs, () => socket.destroy());
    socket.once('data', (first: unknown) => {
      const text = String(first);
      socket.setTimeout(0);
      socket.pause();
      if (speaksGdb(text)) void this.#serve(socket, text);
      else socket.destroy();
    });
  }

  async #serve(socket: Socket, first: string): Promise<void> {
    // The end of a connection may not have been noticed yet.
    for (let waited = 0; this.#client !== undefined && waited < TIMEOUT_MS; waited += LOOK_MS)
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
    await this.#leaving;
    await this.#halt();
    if (this.#client !== client) {
      socket.destroy();
      return;
    }
    const events = {
      send: (text: string) => send(socket, text),
      detached: () => {
        this.#leave();
        this.#letRun();
      },
      over: () => this.#over(),
    };
    const stub = new GdbStub(this.#target, events, this.#symbols);
    client.stub = stub;
    const receive = (text: unknown) => {
      if (!stub.receive(String(text))) socket.destroy();
    };
    receive(first);
    socket.on('data', receive);
    socket.resume();
  }

  /** The connection has ended: the guest is stopped, without breakpoints. */
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

function refused(address: DebugAddress, error: NodeJS.ErrnoException): TerrariumError {
  const where = 'path' in address ? address.path : `port ${address.port}`;
  const taken = error.code === 'EADDRINUSE';
  const hint =
    'path' in address
      ? 'name a file that does not exist yet, in a folder where you may write'
      : 'name another: --gdb=PORT';
  return new TerrariumError(
    'EGDB',
    `gdb cannot be served at ${where}: ${taken ? 'it is in use' : error.message}`,
    {
      hint,
      cause: error,
    },
  );
}
