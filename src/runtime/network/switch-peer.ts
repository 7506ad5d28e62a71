/**
 * A switch between machines of one user: a Unix socket in the user's folder. The first machine there is the switch as well; when it
 * ends, another takes its place.
 *
 * @module
 */
import { unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { ConfigError } from '../../errors.js';
import { MOST_FRAME, Switch, type SwitchPort } from '../../net/index.js';
import { openRuntimeDirectory } from '../runtime-dir.js';
import type { Peer, ToGuest } from './peer.js';

/** Machines on one switch. */
const MOST_PORTS = 64;
/** Bytes that may wait for a machine that does not read: more are lost, as on a wire. */
const MOST_WAITING = 4 * 1024 * 1024;
/** How long after a failed try the next one comes: milliseconds. */
const AGAIN_MS = 50;
const TRIES = 100;
const LENGTH = 4;

/** Frames on a stream: each after its length. */
class FrameStream implements SwitchPort {
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, received: (frame: Uint8Array) => void, closed: () => void) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', closed);
    socket.on('data', (bytes) => {
      this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
      let at = 0;
      while (at + LENGTH <= this.#rest.length) {
        const length = this.#rest.readUInt32LE(at);
        // A peer that sends such a length is not a machine of ours.
        if (length > MOST_FRAME) {
          socket.destroy();
          return;
        }
        if (at + LENGTH + length > this.#rest.length) break;
        received(this.#rest.subarray(at + LENGTH, at + LENGTH + length));
        at += LENGTH + length;
      }
      this.#rest = this.#rest.subarray(at);
    });
  }

  send(frame: Uint8Array): void {
    if (this.#socket.writableLength > MOST_WAITING) return;
    const bytes = Buffer.allocUnsafe(LENGTH + frame.length);
    bytes.writeUInt32LE(frame.length);
    bytes.set(frame, LENGTH);
    this.#socket.write(bytes);
  }
}

/** @throws ConfigError where it can neither connect nor listen there */
export async function openSwitch(name: string, toGuest: ToGuest): Promise<Peer> {
  const at = path.join(openRuntimeDirectory().sockets, `switch.${name}`);
  let wire: SwitchPort | undefined;
  let end = () => {};
  let isClosed = false;
  const lost = () => {
    wire = undefined;
    if (!isClosed) void join().catch(() => {});
  };
  const join = async (): Promise<void> => {
    for (let tries = 0; tries < TRIES && !isClosed; tries++) {
      const socket = await connected(at);
      if (socket !== undefined) {
        wire = new FrameStream(socket, (frame) => void toGuest(frame), lost);
        end = () => socket.destroy();
        return;
      }
      const server = await listening(at);
      if (server !== undefined) {
        const hub = hubOn(server, toGuest);
        wire = hub.wire;
        end = hub.close;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS * Math.random()));
    }
    throw new ConfigError(`--net switch=${name}: ${at} cannot be used`, `remove it: rm ${at}`);
  };
  await join();
  return {
    receive: (frame) => wire?.send(frame),
    turn() {},
    tick() {},
    expects: true,
    close() {
      isClosed = true;
      end();
    },
  };
}

/** The switch itself, with this machine at its first port. */
function hubOn(server: Server, toGuest: ToGuest) {
  const hub = new Switch();
  const sockets = new Set<Socket>();
  const own: SwitchPort = { send: (frame) => void toGuest(frame) };
  hub.add(own);
  server.on('connection', (socket) => {
    if (sockets.size >= MOST_PORTS) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    const port: FrameStream = new FrameStream(
      socket,
      (frame) => hub.receive(frame, port),
      () => {
        sockets.delete(socket);
        hub.remove(port);
      },
    );
    hub.add(port);
  });
  const wire: SwitchPort = { send: (frame) => hub.receive(frame, own) };
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { wire, close };
}

function connected(at: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(at);
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // Its switch ended without removing it.
      if (error.code === 'ECONNREFUSED') removeOld(at);
      resolve(undefined);
    });
  });
}

function removeOld(at: string): void {
  try {
    unlinkSync(at);
  } catch {
    // another machine was faster
  }
}

function listening(at: string): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(at, () => resolve(server));
  });
}
