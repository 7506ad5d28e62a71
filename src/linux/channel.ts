/**
 * One of the agent's channels: runs a command at a time.
 *
 * @module
 */
import { randomInt } from 'node:crypto';
import { TerrariumError } from '../errors.js';
import type { HostedMachine, HostedPort } from '../runtime/index.js';
import { portsOf } from './agent.js';
import { escaped } from './quote.js';

/** Bytes of input that are sent at once. */
const PIECE = 16 * 1024;
/** A line of the agent's is short. */
const LONGEST_LINE = 256;

export interface Sinks {
  stdout(bytes: Uint8Array): unknown;
  stderr(bytes: Uint8Array): unknown;
}

const nowhere: Sinks = { stdout() {}, stderr() {} };

/** See the module's comment. */
export class Channel {
  /** Settles when the agent is there. */
  readonly ready: Promise<void>;
  readonly #control: HostedPort;
  readonly #input: HostedPort;
  readonly #outputs: readonly HostedPort[];
  #sinks = nowhere;
  #line = '';
  #isReady = () => {};
  #exited: ((status: number) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  /** Of the last command. Another host may have used the agent before, and its numbers. */
  #number = randomInt(2 ** 40);

  constructor(machine: HostedMachine, n: number) {
    const [control, input, output, error] = portsOf(n).map((name) => machine.port(name));
    this.#control = control!;
    this.#input = input!;
    this.#outputs = [output!, error!];
    this.ready = new Promise((resolve) => {
      this.#isReady = resolve;
    });
    control!.onOutput((bytes) => this.#hear(bytes));
    output!.onOutput((bytes) => this.#sinks.stdout(bytes));
    error!.onOutput((bytes) => this.#sinks.stderr(bytes));
  }

  /**
   * Runs a script; gives its exit status, as a shell tells it. A sink that takes its time makes the guest wait.
   * @param input what it reads; the rest of it is not sent where the script ends first
   */
  async run(
    script: string,
    input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    sinks: Sinks,
  ): Promise<number> {
    this.#sinks = sinks;
    const id = ++this.#number;
    let running = true;
    const ended = new Promise<number>((resolve, reject) => {
      this.#exited = resolve;
      this.#failed = reject;
    });
    const sent = (async () => {
      await this.#control.send(Buffer.from(`run ${id} ${escaped(script)}\n`));
      for await (const bytes of input) {
        for (let at = 0; at < bytes.length && running; at += PIECE)
          await this.#sendPiece(bytes.subarray(at, at + PIECE));
        if (!running) break;
      }
      await this.#input.send(Buffer.from('0\n'));
    })();
    sent.catch((error) => this.#failed?.(error));
    try {
      const status = await ended;
      for (const port of this.#outputs) await port.drain();
      running = false;
      return status;
    } finally {
      running = false;
      this.#sinks = nowhere;
      this.#exited = undefined;
      this.#failed = undefined;
    }
  }

  async #sendPiece(bytes: Uint8Array): Promise<void> {
    await this.#input.send(Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes]));
  }

  /** Ends the command that runs, with all its processes. */
  kill(): void {
    void this.#control.send(Buffer.from(`kill ${this.#number}\n`));
  }

  /** The guest has gone. */
  fail(error: Error): void {
    this.#failed?.(error);
  }

  #hear(bytes: Uint8Array): void {
    this.#line += Buffer.from(bytes).toString('latin1');
    for (let end = this.#line.indexOf('\n'); end >= 0; end = this.#line.indexOf('\n')) {
      this.#understand(this.#line.slice(0, end));
      this.#line = this.#line.slice(end + 1);
    }
    if (this.#line.length > LONGEST_LINE)
      this.fail(new TerrariumError('EAGENT', 'the guest’s agent says what it never says: it was replaced'));
  }

  #understand(line: string): void {
    if (line === 'ready') this.#isReady();
    const [, id, status] = /^exit (\d+) (\d+)$/.exec(line) ?? [];
    if (Number(id) === this.#number) this.#exited?.(Number(status));
  }
}
