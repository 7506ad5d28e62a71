/** A gateway, and the host's ports that are forwarded to the guest. */
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { createServer, type Server } from 'node:net';
import type { Forward, NetworkSpec } from '../../config/index.js';
import { ConfigError } from '../../errors.js';
import { Gateway } from '../../net/index.js';
import { NodeOutside } from './node-outside.js';
import type { Peer, ToGuest } from './peer.js';

const LOOPBACK = '127.0.0.1';

export async function openUser(spec: NetworkSpec, toGuest: ToGuest): Promise<Peer> {
  const outside = new NodeOutside();
  const gateway = new Gateway({
    outside,
    toGuest,
    now: () => performance.now(),
    random: () => randomBytes(4).readUInt32LE(),
    isOpen: spec.outside === true,
  });
  const listening: { close(): void }[] = [];
  try {
    for (const forward of spec.forwards ?? [])
      listening.push(
        await (forward.udp ? listenUdp(forward, gateway) : listenTcp(forward, gateway, outside)),
      );
  } catch (error) {
    for (const one of listening) one.close();
    throw error;
  }
  return {
    receive: (frame) => gateway.receive(frame),
    turn() {
      gateway.flush();
      if (gateway.isBlocked) gateway.resume();
    },
    tick: () => gateway.tick(),
    get expects() {
      return listening.length > 0 || gateway.expects;
    },
    close() {
      for (const one of listening) one.close();
      gateway.close();
      outside.close();
    },
  };
}

function listenTcp(forward: Forward, gateway: Gateway, outside: NodeOutside): Promise<Server> {
  const options = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true };
  const server = createServer(options, (socket) => {
    // An error without a listener would end the process.
    socket.on('error', () => {});
    const isTaken =
      !outside.isFull && gateway.accept(forward.guestPort, (events) => outside.accepted(socket, events));
    if (!isTaken) socket.destroy();
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(inUse(forward, error)));
    server.listen(forward.hostPort, forward.address ?? LOOPBACK, () => resolve(server));
  });
}

function listenUdp(forward: Forward, gateway: Gateway): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (data, { address, port }) =>
    gateway.forward(forward.guestPort, `${address}:${port}`, data, (answer) =>
      socket.send(answer, port, address, () => {}),
    ),
  );
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => reject(inUse(forward, error)));
    socket.bind(forward.hostPort, forward.address ?? LOOPBACK, () => {
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

function inUse({ hostPort, address = LOOPBACK, udp }: Forward, error: NodeJS.ErrnoException): ConfigError {
  const { code = error.message } = error;
  const hints: Record<string, string> = {
    EADDRINUSE: 'another program listens there: end it, or forward another port of the host’s',
    EACCES: 'ports below 1024 are root’s on many hosts: take one from 1024 on',
    EADDRNOTAVAIL: 'the host has no such address: omit it, or use 0.0.0.0 for all of its addresses',
  };
  const what = `${udp ? 'UDP' : 'TCP'} port ${hostPort} of ${address}`;
  return new ConfigError(`--net user: ${what} cannot be forwarded: ${code}`, hints[code]);
}
