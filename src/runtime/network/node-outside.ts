/**
 * The outside of a gateway, by Node's sockets: no privileges, and a bounded number of sockets.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import dgram from 'node:dgram';
import { getServers } from 'node:dns';
import { connect, type Socket } from 'node:net';
import {
  type Destination,
  type Ipv4,
  ipv4Text,
  type Outside,
  type OutsideDatagrams,
  type OutsideProblem,
  type OutsideStream,
  parseIpv4,
  type StreamEvents,
} from '../../net/index.js';

/** The most streams at a time, including those that still send the data of an ended connection. */
const MOST_STREAMS = 2048;
const CONNECT_MS = 30_000;
const LEAVE_MS = 60_000;
const DNS_PORT = 53;
const PING_SECONDS = 3;

/** The host's first resolver: one with an IPv4 address where there is one. */
function resolver(): { host: string; port: number; family: 4 | 6 } | undefined {
  const servers = getServers();
  const chosen = servers.find((server) => /^[\d.]+(:\d+)?$/.test(server)) ?? servers[0];
  const [, six, four, port] =
    /^(?:\[?([\da-f:]*:[\da-f:.]*)\]?|([\d.]+))(?::(\d+))?$/i.exec(chosen ?? '') ?? [];
  const host = four ?? six;
  if (host === undefined) return undefined;
  return { host, port: Number(port ?? DNS_PORT), family: four === undefined ? 6 : 4 };
}

/** See the module's comment. */
export class NodeOutside implements Outside {
  readonly #streams = new Set<NodeStream>();
  /** Whether this host has a program that may send echo requests. */
  #hasPing = true;

  connect(to: Destination, port: number, events: StreamEvents): OutsideStream {
    const server = to === 'resolver' ? resolver() : { host: ipv4Text(to), port, family: 4 as const };
    if (server === undefined) return failed(events, 'unreachable');
    if (this.#streams.size >= MOST_STREAMS) return failed(events, 'limit');
    const socket = connect({ ...server, allowHalfOpen: true, noDelay: true });
    return this.#add(socket, events, true);
  }

  /** A stream of a connection that came from outside. */
  accepted(socket: Socket, events: StreamEvents): OutsideStream {
    return this.#add(socket, events, false);
  }

  get isFull(): boolean {
    return this.#streams.size >= MOST_STREAMS;
  }

  #add(socket: Socket, events: StreamEvents, connects: boolean): NodeStream {
    const stream = new NodeStream(socket, events, connects);
    this.#streams.add(stream);
    socket.once('close', () => this.#streams.delete(stream));
    return stream;
  }

  datagrams(received: (from: Destination, port: number, data: Uint8Array) => void): OutsideDatagrams {
    return new NodeDatagrams(received);
  }

  /** Node has no sockets for ICMP, but most hosts have a `ping` that may send an echo request. */
  echo(to: Ipv4): Promise<boolean> | undefined {
    if (!this.#hasPing) return undefined;
    return new Promise((resolve) => {
      execFile('ping', ['-n', '-q', '-c', '1', '-W', String(PING_SECONDS), ipv4Text(to)], (error) => {
        if (error?.code === 'ENOENT') this.#hasPing = false;
        resolve(error === null);
      });
    });
  }

  close(): void {
    for (const stream of this.#streams) stream.destroy();
  }
}

/** A stream that could not be opened at all. Its failure is reported after it was returned. */
function failed(events: StreamEvents, problem: OutsideProblem): OutsideStream {
  let isOver = false;
  queueMicrotask(() => {
    if (!isOver) events.closed(problem);
  });
  const nothing = () => {};
  const destroy = () => {
    isOver = true;
  };
  return { write: nothing, end: nothing, destroy, leave: destroy, pause: nothing, resume: nothing };
}

const problems: Readonly<Record<string, OutsideProblem>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EMFILE: 'limit',
  ENFILE: 'limit',
};

class NodeStream implements OutsideStream {
  readonly #socket: Socket;
  readonly #events: StreamEvents;
  #isOver = false;
  /** The bytes written in this turn of the event loop: they are sent together. */
  #batch: Uint8Array[] = [];
  #ends = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, events: StreamEvents, connects: boolean) {
    this.#socket = socket;
    this.#events = events;
    let problem: OutsideProblem | undefined;
    if (connects) {
      this.#destroyAfter(CONNECT_MS);
      socket.once('connect', () => {
        clearTimeout(this.#timer);
        this.#tell(() => events.opened());
      });
    }
    socket.on('data', (bytes) => this.#tell(() => events.data(bytes)));
    socket.on('end', () => this.#tell(() => events.ended()));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      problem = problems[error.code ?? ''] ?? 'reset';
    });
    socket.on('close', () => {
      clearTimeout(this.#timer);
      this.#tell(() => events.closed(problem));
      this.#isOver = true;
    });
  }

  #tell(event: () => void): void {
    if (!this.#isOver) event();
  }

  write(bytes: Uint8Array): void {
    if (this.#batch.length === 0) process.nextTick(() => this.#flush());
    this.#batch.push(bytes);
  }

  #flush(): void {
    const batch = this.#batch;
    this.#batch = [];
    const socket = this.#socket;
    if (socket.destroyed) return;
    const last = batch.pop();
    if (last !== undefined) {
      const count = batch.reduce((sum, { length }) => sum + length, last.length);
      socket.cork();
      for (const bytes of batch) socket.write(bytes);
      socket.write(last, (error) => {
        if (!error) this.#tell(() => this.#events.written(count));
      });
      socket.uncork();
    }
    if (this.#ends) socket.end();
  }

  end(): void {
    this.#ends = true;
    if (this.#batch.length === 0) process.nextTick(() => this.#flush());
  }

  destroy(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  leave(): void {
    this.#isOver = true;
    this.#destroyAfter(LEAVE_MS);
    // Later bytes are read and dropped: otherwise the end is never reported.
    this.#socket.resume();
  }

  #destroyAfter(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#socket.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })),
      ms,
    );
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}

class NodeDatagrams implements OutsideDatagrams {
  readonly #socket: dgram.Socket;
  readonly #resolver = resolver();
  #asksResolver = false;
  #six: dgram.Socket | undefined;
  readonly #received: (from: Destination, port: number, data: Uint8Array) => void;

  constructor(received: (from: Destination, port: number, data: Uint8Array) => void) {
    this.#received = received;
    this.#socket = this.#open('udp4');
  }

  #open(type: 'udp4' | 'udp6'): dgram.Socket {
    const socket = dgram.createSocket(type);
    // A lost datagram: its sender repeats it, or accepts the loss.
    socket.on('error', () => {});
    socket.on('message', (data, { address, port }) => {
      const { host, port: at } = this.#resolver ?? {};
      const from = this.#asksResolver && address === host && port === at ? 'resolver' : parseIpv4(address);
      if (from !== undefined) this.#received(from, from === 'resolver' ? DNS_PORT : port, data);
    });
    return socket;
  }

  send(to: Destination, port: number, data: Uint8Array): void {
    const lost = () => {};
    if (to !== 'resolver') this.#socket.send(data, port, ipv4Text(to), lost);
    else if (this.#resolver !== undefined) {
      this.#asksResolver = true;
      const { host, port: at, family } = this.#resolver;
      if (family === 6) this.#six ??= this.#open('udp6');
      (this.#six ?? this.#socket).send(data, at, host, lost);
    }
  }

  close(): void {
    this.#socket.close();
    this.#six?.close();
  }
}
