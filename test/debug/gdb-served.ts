/** A guest that waits for Debian's gdb, and gdb that debugs it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cli, HANGS_MS, noGcc, noKvm, root } from '../support.js';

const noGdb: string | false =
  spawnSync('gdb', ['--version']).status === 0 ? false : 'SKIPPED: no gdb here: apt-get install gdb';

/** Both engines, and why a test of gdb is skipped on one. */
export const gdbEngines = [
  { name: 'soft', skip: noGdb || noGcc },
  { name: 'kvm', skip: noGdb || noGcc || noKvm },
];

/** A guest that waits for gdb. */
export class Served {
  readonly child;
  readonly ended: Promise<number | null>;
  where = '';
  #target = 'remote';
  errors = '';
  output = '';

  constructor(args: readonly string[], engine: string, address = '0') {
    const all = ['run', ...args, '--engine', engine, `--gdb=${address}`, '--quiet'];
    this.child = spawn(process.execPath, [cli, ...all], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = once(this.child, 'exit').then(([status]) => status as number | null);
    this.child.stdout.on('data', (text) => {
      this.output += text;
    });
  }

  /** @param extended gdb stays when the guest has ended, and may start it again */
  async ready(extended = false): Promise<this> {
    this.#target = extended ? 'extended-remote' : 'remote';
    for await (const text of this.child.stderr) {
      this.errors += text;
      const [, where] = /target remote ([^']+)'/.exec(this.errors) ?? [];
      if (where === undefined) continue;
      this.where = where;
      return this;
    }
    throw new Error(`the guest did not wait for gdb: ${this.errors}`);
  }

  /** Runs gdb's commands on it and returns gdb's output. */
  async gdb(...commands: string[]): Promise<string> {
    const args = [
      '-nx',
      '-batch',
      '-ex',
      'set pagination off',
      '-ex',
      'set width 0',
      '-ex',
      'set confirm off',
    ];
    const all = [...commands.slice(0, 1), `target ${this.#target} ${this.where}`, ...commands.slice(1)];
    // Both of gdb's streams in the order of its output.
    const shell = ['-c', 'exec gdb "$@" 2>&1', 'gdb', ...args, ...all.flatMap((one) => ['-ex', one])];
    const child = spawn('sh', shell, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (part) => {
      text += part;
    });
    const late = setTimeout(() => child.kill('SIGKILL'), HANGS_MS);
    await once(child, 'close');
    clearTimeout(late);
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}
