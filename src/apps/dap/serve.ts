/**
 * Where editors connect: this process's stdin and stdout, or a port of this computer alone.
 *
 * @module
 */
import { type AddressInfo, createServer } from 'node:net';
import { type Readable, Writable } from 'node:stream';
import { ExitStatus } from '../frontend/exit-status.js';
import { Framing } from './framing.js';
import { DapSession } from './session.js';

/** What may lie unread before the guest's output waits. */
const UNREAD_BYTES = 1024 * 1024;

/** One session over stdin and stdout; the process ends with it. */
export function serveStdio(): void {
  const session = start(process.stdin, protocolOutput(), (status) => process.exit(status));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => session.shutdown());
}

/** Stdout for messages alone: what anybody else prints, such as a device of the user's, goes to stderr. */
function protocolOutput(): Writable {
  const { stdout, stderr } = process;
  const print = stdout.write.bind(stdout);
  const output = new Writable({ write: (chunk: Buffer, _, done) => void print(chunk, done) });
  stdout.on('error', (error) => output.destroy(error));
  stdout.write = stderr.write.bind(stderr);
  return output;
}

/**
 * Sessions over TCP, several at a time if need be, until a signal ends the process.
 * Resolves, when it listens, with the port.
 */
export async function servePort(port: number): Promise<number> {
  const sessions = new Set<DapSession>();
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    const session = start(socket, socket, () => {
      sessions.delete(session);
      socket.destroy();
    });
    sessions.add(session);
  });
  // Nobody but this computer: a debugger may do anything to the guest, and reads any file as an image.
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve());
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      server.close();
      void Promise.all([...sessions].map((session) => session.close())).then(() => process.exit(0));
    });
  return (server.address() as AddressInfo).port;
}

function start(input: Readable, output: Writable, ended: (status: number) => void): DapSession {
  let status: number = ExitStatus.ok;
  const session = new DapSession({
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
  // The protocol's own words for a message that is no JSON.
  session.removeAllListeners('error');
  session.on('error', ({ body }: { body?: unknown }) => wrong(new Error(String(body))));
  input.on('error', () => session.shutdown());
  input.on('end', () => session.shutdown());
  input.on('close', () => session.shutdown());
  output.on('error', () => session.shutdown());
  session.start(input.pipe(framing), output);
  return session;
}
