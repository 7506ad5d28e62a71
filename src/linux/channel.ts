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
const PIECE = 64 * 1024;
/** The most characters of a line from the agent. */
const LONGEST_LINE = 256;

export interface Sinks {
  stdout(bytes: Uint8Array): unknown;
  stderr(bytes: Uint8Array): unknown;
}

type Input = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

const nowhere: Sinks = { stdout() {}, stderr() {} };

/** See the module's comment. */
export class Channel {
  /** Settles when the agent is ready. */
  readonly ready: Promise<void>;
  readonly #control: HostedPort;
  readonly #input: HostedPort;
  readonly #outputs: readonly HostedPort[];
  #sinks = nowhere;
  #line = '';
  #isReady = () => {};
  #exited: ((status: number) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #taken = () => {};
  #sent: Promise<void> = Promise.resolve();
  /** The number of the last command. Another host may have used the agent before, with its own numbers. */
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
   * Runs a script; returns its exit status, as a shell reports it. A slow sink makes the guest wait. @param input its standard input; the
   * rest is not sent where the script ends first
   */
  async run(script: string, input: Input, sinks: Sinks): Promise<number> {
    // Its input ends with a separate line, before which the next command's input must not start.
    await this.#sent;
    this.#sinks = sinks;
    const id = ++this.#number;
    const ended = new Promise<number>((resolve, reject) => {
      this.#exited = resolve;
      this.#failed = reject;
    });
    const over = ended.then(
      () => undefined,
      () => undefined,
    );
    const sent = this.#send(`run ${id} ${escaped(script)}\n`, input, over);
    sent.catch((error) => this.#failed?.(error));
    this.#sent = sent.catch(() => {});
    try {
      const status = await ended;
      for (const port of this.#outputs) await port.drain();
      return status;
    } finally {
      this.#sinks = nowhere;
      this.#exited = undefined;
      this.#failed = undefined;
    }
  }

  /** @param over settles when the command has ended: then the rest of its input is not read */
  async #send(command: string, input: Input, over: Promise<undefined>): Promise<void> {
    let isOver = false;
    void over.then(() => {
      isOver = true;
    });
    await this.#control.send(Buffer.from(command));
    const pieces = Symbol.asyncIterator in input ? input[Symbol.asyncIterator]() : input[Symbol.iterator]();
    try {
      for (;;) {
        const next = await Promise.race([pieces.next(), over]);
        if (next === undefined || next.done) break;
        for (let at = 0; at < next.value.length && !isOver; at += PIECE)
          await Promise.race([this.#sendPiece(next.value.subarray(at, at + PIECE)), over]);
      }
    } finally {
      void pieces.return?.();
      await this.#input.send(Buffer.from('0\n'));
    }
  }

  /** Resolves when the guest requests the next piece: at most one piece is in flight when a command ends early. */
  async #sendPiece(bytes: Uint8Array): Promise<void> {
    const taken = new Promise<void>((resolve) => {
      this.#taken = resolve;
    });
    await this.#input.send(Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes]));
    await taken;
  }

  /** Ends the command that runs, with all its processes. */
  kill(): void {
    void this.#control.send(Buffer.from(`kill ${this.#number}\n`));
  }

  /** The guest has ended. */
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
      this.fail(new TerrariumError('EAGENT', 'the guest’s agent sent an unknown line: it was replaced'));
  }

  #understand(line: string): void {
    if (line === 'ready') this.#isReady();
    const [, verb, id, status] = /^(exit|more) (\d+)(?: (\d+))?$/.exec(line) ?? [];
    if (Number(id) !== this.#number) return;
    if (verb === 'more') this.#taken();
    else this.#exited?.(Number(status));
  }
}
