/**
 * A Linux guest that runs programs: see `bootLinux`.
 *
 * @module
 */
import { ConfigError, TerrariumError } from '../errors.js';
import {
  type LinuxDeath,
  LinuxKernel,
  type LinuxLogRecord,
  type LinuxTask,
  readDeath,
  readLog,
  readTasks,
} from '../inspect/index.js';
import type { MachineState } from '../machine/index.js';
import type { HostedMachine, HostedOptions, HostedOutcome } from '../runtime/index.js';
import { Channel } from './channel.js';
import { type ArchivedFile, FileKind, readArchive, writeArchive } from './cpio.js';
import { type Surroundings, scriptOf } from './quote.js';

/** How to run a command. */
export interface ExecOptions extends Surroundings {
  /** Its standard input: a text, bytes, or pieces as they arrive. Default: empty. */
  readonly input?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Ends the command with all its processes after this many milliseconds. */
  readonly timeoutMs?: number;
  /** Ends the command when it aborts. */
  readonly signal?: AbortSignal;
  /** Receives the command's output as it arrives, instead of keeping it. A promise makes the guest wait. */
  readonly onStdout?: (bytes: Uint8Array) => unknown;
  readonly onStderr?: (bytes: Uint8Array) => unknown;
  /** How much of each output is kept, in bytes; the rest is dropped. Default: 16 MiB. */
  readonly maxOutput?: number;
}

/** The result of a command. */
export interface ExecResult {
  /** Exit status, as a shell reports it: 128 plus the signal's number where one ended it; 126, 127 where it cannot be run or does not exist. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The same as bytes. */
  readonly stdoutBytes: Uint8Array;
  readonly stderrBytes: Uint8Array;
  /** `timeoutMs` or `signal` ended it. */
  readonly timedOut: boolean;
  /** The output was longer than `maxOutput`. */
  readonly truncated: boolean;
  /** Milliseconds of the host's time. */
  readonly elapsedMs: number;
}

/** A guest at one moment: plain data. */
export interface LinuxSnapshot {
  readonly made: HostedOptions;
  readonly channels: number;
  readonly state: MachineState;
}

/** How a guest ended. */
export type LinuxEndKind = 'poweredOff' | 'rebooted' | 'panicked' | 'outOfMemory' | 'stopped' | 'failed';

export interface LinuxEnd {
  readonly kind: LinuxEndKind;
  /** The reason as text: the kernel's message, where it panicked. */
  readonly reason: string;
  readonly outcome: HostedOutcome;
}

/** The interval at which a command is told to end, in milliseconds. */
const AGAIN_MS = 100;
const MOST_OUTPUT = 16 * 1024 * 1024;
/** Characters of the console that are kept. */
const CONSOLE = 256 * 1024;

/** The part of a command's output that is kept. */
class BoundedOutput {
  readonly #most: number;
  readonly #chunks: Uint8Array[] = [];
  #length = 0;
  truncated = false;

  constructor(most: number) {
    this.#most = most;
  }

  add(bytes: Uint8Array): void {
    const room = this.#most - this.#length;
    if (bytes.length > room) this.truncated = true;
    if (room <= 0) return;
    this.#chunks.push(bytes.slice(0, room));
    this.#length += Math.min(room, bytes.length);
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}

/** See the module's comment. */
export class LinuxVm implements AsyncDisposable {
  /** The machine itself: its registers, its memory, its screen. */
  readonly machine: HostedMachine;
  /** Resolves when the guest has ended, for any reason. */
  readonly ended: Promise<LinuxEnd>;
  readonly #channels: readonly Channel[];
  readonly #free: Channel[] = [];
  readonly #waiting: { take(channel: Channel): void; giveUp(error: Error): void }[] = [];
  #console = '';
  #end: LinuxEnd | undefined;

  readonly #made: HostedOptions;

  /** @internal @param made the parts of the machine, without a state */
  constructor(
    machine: HostedMachine,
    made: HostedOptions,
    channels: number,
    onConsole: (text: string) => void,
  ) {
    this.machine = machine;
    this.#made = made;
    machine.onOutput((bytes) => {
      const text = Buffer.from(bytes).toString('latin1');
      this.#console = (this.#console + text).slice(-CONSOLE);
      onConsole(text);
    });
    this.#channels = Array.from({ length: channels }, (_, n) => new Channel(machine, n));
    this.ended = machine.run().then((outcome) => this.#finish(outcome));
    // Callers that wait for a command get the error.
    this.ended.catch((error) => this.#lose(error));
  }

  /** The last part of the console output of the kernel and init. */
  get console(): string {
    return this.#console;
  }

  /**
   * The port of the host's loopback that leads to a port of the guest's.
   * @throws ConfigError for one that was not among the `ports` of `bootLinux`
   */
  forward(port: number): number {
    const forwards = this.#made.nets?.flatMap((net) => net.forwards ?? []) ?? [];
    const found = forwards.find(({ guestPort }) => guestPort === port);
    if (found === undefined)
      throw new ConfigError(`port ${port} is not forwarded`, `boot with it: bootLinux({ ports: [${port}] })`);
    return found.hostPort;
  }

  /** The guest's tasks, from its memory: nothing runs in the guest for it. Empty for a kernel without kallsyms or BTF. */
  tasks(): LinuxTask[] {
    const kernel = LinuxKernel.find(this.machine.memory);
    return kernel ? readTasks(kernel) : [];
  }

  /** The kernel's log, likewise; also after the guest has ended. */
  log(): LinuxLogRecord[] {
    const kernel = LinuxKernel.find(this.machine.memory);
    return kernel ? readLog(kernel) : [];
  }

  /** The last oops or panic that the log reports: who, where, and the calls that led there. */
  death(): LinuxDeath | undefined {
    return readDeath(this.log());
  }

  /** @internal Resolves when commands can be run. @throws TerrariumError `ELINUX` where the guest ends before, or takes too long */
  async booted(timeoutMs: number): Promise<void> {
    const late = new Promise<'late'>((resolve) => setTimeout(resolve, timeoutMs, 'late').unref());
    const came = await Promise.race([
      Promise.all(this.#channels.map(({ ready }) => ready)),
      this.ended.then(() => 'ended' as const),
      late,
    ]);
    if (came === 'ended') throw this.#gone('while it booted');
    if (came === 'late')
      throw new TerrariumError(
        'ELINUX',
        `the guest was not ready within ${timeoutMs} ms: ${lastLine(this.#console)}`,
        {
          hint: 'see the console for its state; the kernel needs virtio_pci and virtio_console, built in or as modules',
        },
      );
    this.ready();
  }

  /** @internal Commands can be run. */
  ready(): void {
    this.#free.push(...this.#channels);
  }

  /**
   * Runs a command in the guest and waits for its end. As many run at a time as there are channels; more wait for their turn.
   *
   * ```ts
   * const { status, stdout } = await vm.exec(['sh', '-c', 'cat | wc -c'], { input: 'hello' });
   * ```
   * @throws ConfigError for arguments that Linux does not allow; TerrariumError `ELINUX` where the guest ends meanwhile
   */
  async exec(args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { input = [], timeoutMs, signal, maxOutput = MOST_OUTPUT } = options;
    const script = scriptOf(args, options);
    const channel = await this.#channel();
    const started = performance.now();
    const [stdout, stderr] = [new BoundedOutput(maxOutput), new BoundedOutput(maxOutput)];
    let timedOut = signal?.aborted === true;
    let timer: NodeJS.Timeout | undefined;
    // Repeated until it has ended: at first it may not even have started.
    const kill = () => {
      timedOut = true;
      channel.kill();
      timer = setTimeout(kill, AGAIN_MS);
    };
    if (timeoutMs !== undefined) timer = setTimeout(kill, timeoutMs);
    signal?.addEventListener('abort', kill);
    try {
      if (timedOut) throw new TerrariumError('EABORTED', 'the command was aborted before it began');
      const status = await channel.run(
        script,
        typeof input === 'string' || input instanceof Uint8Array ? [Buffer.from(input)] : input,
        {
          stdout: options.onStdout ?? ((bytes) => stdout.add(bytes)),
          stderr: options.onStderr ?? ((bytes) => stderr.add(bytes)),
        },
      );
      return {
        status,
        stdout: Buffer.from(stdout.bytes).toString(),
        stderr: Buffer.from(stderr.bytes).toString(),
        stdoutBytes: stdout.bytes,
        stderrBytes: stderr.bytes,
        timedOut,
        truncated: stdout.truncated || stderr.truncated,
        elapsedMs: performance.now() - started,
      };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', kill);
      this.#release(channel);
    }
  }

  /** Writes a file in the guest, and the folders on the way to it. @throws TerrariumError `EGUESTFILE` with the guest's own words */
  async copyIn(name: string, content: string | Uint8Array, { mode = 0o644 } = {}): Promise<void> {
    const write = 'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1"';
    await this.#must(
      ['sh', '-c', write, 'sh', name, mode.toString(8)],
      { input: content },
      `${name} cannot be written`,
    );
  }

  /** Reads a file of the guest. @throws TerrariumError `EGUESTFILE` with the guest's own words */
  async copyOut(name: string, { maxOutput = 256 * 1024 * 1024 } = {}): Promise<Uint8Array> {
    const { stdoutBytes, truncated } = await this.#must(
      ['cat', '--', name],
      { maxOutput },
      `${name} cannot be read`,
    );
    if (!truncated) return stdoutBytes;
    throw new TerrariumError('EGUESTFILE', `${name} has more than ${maxOutput} bytes`);
  }

  /** Writes files, folders and links below a folder of the guest; each `name` is relative to it. */
  async copyTreeIn(folder: string, files: readonly ArchivedFile[]): Promise<void> {
    const unpack = 'mkdir -p "$1" && cd "$1" && cpio -idmu';
    await this.#must(
      ['sh', '-c', unpack, 'sh', folder],
      { input: writeArchive(files) },
      `${folder} cannot be written`,
    );
  }

  /** All files below a folder of the guest: nothing is written to the host. Devices and other special files are left out. */
  async copyTreeOut(folder: string, { maxOutput = 256 * 1024 * 1024 } = {}): Promise<ArchivedFile[]> {
    const pack = 'cd "$1" && find . -mindepth 1 | cpio -o -H newc';
    const args = ['sh', '-c', pack, 'sh', folder];
    const { stdoutBytes, truncated } = await this.#must(args, { maxOutput }, `${folder} cannot be read`);
    if (truncated) throw new TerrariumError('EGUESTFILE', `${folder} has more than ${maxOutput} bytes`);
    const kinds: readonly number[] = [FileKind.file, FileKind.folder, FileKind.link];
    return readArchive(stdoutBytes)
      .map((file) => ({ ...file, name: file.name.replace(/^\.\//, '') }))
      .filter(({ mode }) => kinds.includes(mode & FileKind.mask));
  }

  /**
   * The whole guest in its current state, between two commands; it continues. `restoreLinux` makes any number of guests from it, none of
   * which has to boot.
   * @throws ConfigError while a command runs
   */
  async snapshot(): Promise<LinuxSnapshot> {
    if (this.#end !== undefined) throw this.#gone('before its snapshot');
    if (this.#free.length < this.#channels.length)
      throw new ConfigError('a command runs in the guest', 'take the snapshot before or after it');
    const { state } = await this.machine.save();
    return { made: this.#made, channels: this.#channels.length, state };
  }

  /** Asks the guest to switch itself off, and waits until it has. */
  async powerOff(): Promise<LinuxEnd> {
    const channel = await this.#channel();
    channel.run('sync; poweroff -f', [], { stdout() {}, stderr() {} }).catch(() => {});
    return this.ended;
  }

  /** Stops the guest at once, and frees its resources. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine.stop();
    await this.ended.catch(() => {});
    await this.machine[Symbol.asyncDispose]();
  }

  async #must(args: readonly string[], options: ExecOptions, what: string): Promise<ExecResult> {
    const result = await this.exec(args, options);
    if (result.status === 0) return result;
    const said = result.stderr.trim() || `the guest’s command ended with ${result.status}`;
    throw new TerrariumError('EGUESTFILE', `${what}: ${said}`);
  }

  async #channel(): Promise<Channel> {
    if (this.#end !== undefined) throw this.#gone('before the command began');
    const free = this.#free.pop();
    if (free !== undefined) return free;
    return new Promise((take, giveUp) => {
      this.#waiting.push({ take, giveUp });
    });
  }

  #release(channel: Channel): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(channel);
    else next.take(channel);
  }

  #finish(outcome: HostedOutcome): LinuxEnd {
    const panic = /Kernel panic - not syncing: (.*)/.exec(this.#console)?.[1]?.trim();
    const end = { kind: endKind(outcome, panic), reason: panic ?? outcome.reason, outcome };
    this.#end = end;
    this.#lose(this.#gone('while the command ran'));
    return end;
  }

  #gone(when: string): TerrariumError {
    const { kind = 'failed', reason = 'it ended' } = this.#end ?? {};
    return new TerrariumError('ELINUX', `the guest has ended ${when} (${kind}): ${reason}`);
  }

  #lose(error: Error): void {
    for (const channel of this.#channels) channel.fail(error);
    for (const { giveUp } of this.#waiting.splice(0)) giveUp(error);
  }
}

function endKind({ kind }: HostedOutcome, panic: string | undefined): LinuxEndKind {
  if (panic !== undefined) return /out of memory/i.test(panic) ? 'outOfMemory' : 'panicked';
  if (kind === 'poweredOff' || kind === 'stopped') return kind;
  if (kind === 'reset') return 'rebooted';
  return kind === 'panicked' ? 'panicked' : 'failed';
}

const lastLine = (text: string) => text.trimEnd().split('\n').at(-1)?.trim() || 'it has printed nothing';
