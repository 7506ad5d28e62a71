/**
 * Ports of the guest that programs of the host may reach, over the user-mode network (docs/network.md).
 *
 * @module
 */
import { type AddressInfo, createServer } from 'node:net';
import { ConfigError } from '../errors.js';
import type { HostedOptions } from '../runtime/index.js';

type Nets = NonNullable<HostedOptions['nets']>;

const LOOPBACK = '127.0.0.1';
/** More would be a mistake. */
const MOST_PORTS = 100;

/**
 * A card that only forwards reach, each from a port of the host's that is free now. Another program may take one before the guest's network
 * listens there: then that fails, and says so.
 */
export async function forwarding(ports: readonly number[]): Promise<Nets> {
  const wrong = ports.find((port) => !Number.isInteger(port) || port < 1 || port > 65_535);
  if (wrong !== undefined)
    throw new ConfigError(`the guest has no port ${wrong}`, 'give ports from 1 to 65535');
  if (ports.length > MOST_PORTS)
    throw new ConfigError(`${ports.length} ports are too many`, `forward at most ${MOST_PORTS}`);
  const wanted = [...new Set(ports)];
  if (wanted.length === 0) return [];
  // All are open at the same time, so that no two are the same.
  const servers = await Promise.all(wanted.map(listen));
  const forwards = wanted.map((guestPort, n) => ({
    guestPort,
    hostPort: (servers[n]!.address() as AddressInfo).port,
  }));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return [{ kind: 'user', forwards }];
}

/** The same ports of the guest, for another machine: the first may still use its ports of the host. */
export function forwardingAgain(nets: Nets = []): Promise<Nets> {
  return forwarding(nets.flatMap(({ forwards = [] }) => forwards.map(({ guestPort }) => guestPort)));
}

function listen() {
  const server = createServer();
  return new Promise<typeof server>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, LOOPBACK, () => resolve(server));
  });
}
