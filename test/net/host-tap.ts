/**
 * A real Linux as the guest of a gateway: an interface of the host, in a separate network namespace, so that the host's
 * own network does not change. Needs root.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { Tap } from '../../src/engine/kvm/index.js';
import { Gateway, type GatewayOptions } from '../../src/net/index.js';
import { NodeOutside } from '../../src/runtime/network/node-outside.js';

const ip = (...words: string[]) => spawnSync('ip', words, { encoding: 'utf8' });

/** Why this host cannot have such a guest, or false. */
export const noNamespace: string | false = (() => {
  const name = `terra-try-${process.pid}`;
  try {
    using tap = Tap.open(`tt${process.pid}`);
    const made = ip('netns', 'add', name);
    if (made.error || made.status !== 0) return `SKIPPED: no network namespaces here: ${made.stderr}`;
    const moved = ip('link', 'set', tap.interfaceName, 'netns', name);
    return moved.status === 0 ? false : `SKIPPED: an interface cannot be moved here: ${moved.stderr}`;
  } catch (error) {
    return `SKIPPED: no TAP here, which needs root: ${(error as Error).message}`;
  } finally {
    ip('netns', 'del', name);
  }
})();

let made = 0;

/** See the module's comment. */
export class LinuxGuest implements Disposable {
  readonly gateway: Gateway;
  readonly outside = new NodeOutside();
  readonly #tap: Tap;
  readonly #name: string;
  readonly #ticks: NodeJS.Timeout;
  /** Frames in both directions. */
  onFrame: (frame: Uint8Array) => boolean = () => true;

  constructor(options: Partial<GatewayOptions> = {}) {
    this.#name = `terra${process.pid}x${made}`;
    this.#tap = Tap.open(`tt${process.pid}x${made++}`);
    this.gateway = new Gateway({
      outside: this.outside,
      toGuest: (frame) => {
        // A full queue drops the frame, as a wire does.
        if (this.onFrame(frame)) this.#tap.write(frame);
        return true;
      },
      now: () => performance.now(),
      random: () => Math.floor(Math.random() * 2 ** 32),
      isOpen: true,
      ...options,
    });
    ip('netns', 'add', this.#name);
    ip('link', 'set', this.#tap.interfaceName, 'netns', this.#name);
    this.ip('link', 'set', 'lo', 'up');
    this.ip('link', 'set', this.#tap.interfaceName, 'up');
    this.#tap.watch(() => {
      for (let frame = this.#tap.read(); frame !== undefined; frame = this.#tap.read())
        if (this.onFrame(frame)) this.gateway.receive(frame);
      this.gateway.flush();
    });
    this.#ticks = setInterval(() => this.gateway.tick(), 100);
  }

  get interface(): string {
    return this.#tap.interfaceName;
  }

  /** Gives the interface the address that DHCP would. */
  address(): void {
    this.ip('addr', 'add', '10.0.2.15/24', 'dev', this.#tap.interfaceName);
    this.ip('route', 'add', 'default', 'via', '10.0.2.2');
  }

  ip(...words: string[]): void {
    const { status, stderr } = ip('-n', this.#name, ...words);
    if (status !== 0) throw new Error(`ip ${words.join(' ')}: ${stderr}`);
  }

  /** Starts a program in the guest. */
  start(program: string, ...words: string[]): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.#name, program, ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
  }

  /** Runs a program in the guest to its end: what it printed, and its exit code. */
  async run(program: string, ...words: string[]): Promise<{ output: string; code: number | null }> {
    const child = this.start(program, ...words);
    let output = '';
    const add = (bytes: Buffer) => {
      output += bytes.toString('latin1');
    };
    child.stdout!.on('data', add);
    child.stderr!.on('data', add);
    child.stdin!.end();
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { output, code };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#ticks);
    this.gateway.close();
    this.outside.close();
    this.#tap[Symbol.dispose]();
    ip('netns', 'del', this.#name);
  }
}
