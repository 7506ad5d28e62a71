/**
 * Where editors connect: this process's stdin and stdout, a UNIX socket of this user, or a port of this computer.
 *
 * @module
 */
import { createServer } from 'node:net';
import { type Readable, Writable } from 'node:stream';
import { type DebugAddress, listenLocally } from '../../debug/listen/index.js';
import { ExitStatus } from '../frontend/exit-status.js';
import { unrestricted } from './access-rules.js';
import { Framing } from './framing.js';
import { DapSession, type SessionHost } from './session.js';

/** How many bytes may be unread before the guest's output waits. */
const UNREAD_BYTES = 1024 * 1024;

/** One session over stdin and stdout; the process ends with it. */
export function serveStdio(): void {
  const session = startSession(process.stdin, protocolOutput(), unrestricted, (status) =>
    process.exit(status),
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => session.shutdown());
}

/** Keeps stdout for protocol messages: other output, such as that of a user's device, goes to stderr. */
function protocolOutput(): Writable {
  const { stdout, stderr } = process;
  const print = stdout.write.bind(stdout);
  const output = new Writable({ write: (chunk: Buffer, _, done) => void print(chunk, done) });
  stdout.on('error', (error) => output.destroy(error));
  stdout.write = stderr.write.bind(stderr);
  return output;
}

/**
 * Sessions over connections, several at the same time, until a signal ends the process. Resolves when it listens, with the port
 * or the socket's path.
 */
export async function serveConnections(
  address: DebugAddress,
  access: SessionHost['access'],
): Promise<number | string> {
  const sessions = new Set<DapSession>();
  // The reader of stderr may have gone: that must not end the sessions of others.
  process.stderr.on('error', () => {});
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    const session = startSession(socket, socket, access, () => {
      sessions.delete(session);
      // The last response may be a refusal, which the client must be able to read.
      socket.destroySoon();
    });
    sessions.add(session);
  });
  const where = await listenLocally(server, address);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      server.close();
      void Promise.all([...sessions].map((session) => session.close())).then(() => process.exit(0));
    });
  return where;
}

/** One session over any two streams. @param ended is told the status that a process which ends with it would have */
export function startSession(
  input: Readable,
  output: Writable,
  access: SessionHost['access'],
  ended: (status: number) => void,
): DapSession {
  let status: number = ExitStatus.ok;
  const session = new DapSession({
    access,
    ended: () => ended(status),
    drained: () =>
      output.writableLength < UNREAD_BYTES
        ? undefined
        : new Promise((resolve) => output.once('drain', resolve).once('close', resolve)),
  });
  const wrong = (error: Error) => {
    process.stderr.write(`terrarium: ${error.message}\n`);
    status = ExitStatus.usage;
    session.shutdown();
  };
  const framing = new Framing();
  framing.on('error', wrong);
  // The protocol library's error for a message that is not JSON.
  session.removeAllListeners('error');
  session.on('error', ({ body }: { body?: unknown }) => wrong(new Error(String(body))));
  input.on('error', () => session.shutdown());
  input.on('end', () => session.shutdown());
  input.on('close', () => session.shutdown());
  output.on('error', () => session.shutdown());
  session.start(input.pipe(framing), output);
  return session;
}
