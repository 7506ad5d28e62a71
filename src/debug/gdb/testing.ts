/** A client of gdb's protocol, for tests and measurements. */
import { connect, type Socket } from 'node:net';
import { packet } from './packets.js';

export class GdbClient implements Disposable {
  readonly socket: Socket;
  /** Resolves when the other side has ended the connection. */
  readonly closed: Promise<void>;
  #text = '';
  #waiting: ((reply: string) => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    void this.closed.then(() => this.#waiting?.(''));
    socket.on('data', (text: string) => {
      this.#text += text;
      this.#look();
    });
  }

  /** @param where `:1234` or a socket's path */
  static async connect(where: string): Promise<GdbClient> {
    const port = /^:(\d+)$/.exec(where)?.[1];
    const socket = port === undefined ? connect(where) : connect(Number(port), '127.0.0.1');
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new GdbClient(socket);
  }

  /** The reply to a packet, empty where the connection ended instead; without messages for gdb's user. */
  ask(data: string): Promise<string> {
    this.socket.write(packet(data), 'latin1');
    return this.next();
  }

  /** The next reply. */
  next(): Promise<string> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#look();
    });
  }

  #look(): void {
    for (let end = this.#text.search(/#../); end >= 0 && this.#waiting; end = this.#text.search(/#../)) {
      const data = this.#text.slice(this.#text.indexOf('$') + 1, end);
      this.#text = this.#text.slice(end + 3);
      if (/^O[\da-f]/.test(data)) continue;
      const reply = this.#waiting;
      this.#waiting = undefined;
      reply(data);
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
