/** A separate tmux terminal for the tests: its input and its screen. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cli, HANGS_MS, root, Scratch, until } from '../support.js';

export const noTmux: string | false =
  spawnSync('tmux', ['-V']).status === 0 ? false : 'SKIPPED: no tmux here: apt-get install tmux';

export interface TerminalOptions {
  columns?: number;
  rows?: number;
  env?: Readonly<Record<string, string>>;
  /** The program that runs, in place of the command line. */
  program?: string;
}

/**
 * A shell in which one command was typed. It stays after the command's end, so that the state of the terminal can be
 * checked.
 */
export class Terminal implements Disposable {
  readonly #scratch = new Scratch();

  constructor(args: readonly string[], options: TerminalOptions = {}) {
    const { columns = 80, rows = 24, env = {}, program = cli } = options;
    const quoted = args.map((arg) => `'${arg}'`).join(' ');
    const variables = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
    // With job control, as in a person's shell; the sleep keeps the terminal's content.
    const script = [
      'set -m',
      `stty -g > ${this.#file('before')}`,
      `env -u NO_COLOR ${variables.join(' ')} ${process.execPath} ${program} ${quoted}`,
      'status=$?',
      // It may be suspended twice (SIGTSTP), and continues when a line is typed. Without a loop, which bash would leave
      // then.
      ...Array(2).fill('if [ -n "$(jobs -s)" ]; then echo put aside; read line; clear; fg; status=$?; fi'),
      `echo $status > ${this.#file('status')}`,
      `stty -g > ${this.#file('after')}`,
      'exec sleep 100',
    ].join('\n');
    writeFileSync(this.#file('script'), script);
    const size = ['-x', `${columns}`, '-y', `${rows}`];
    const shell = `bash ${this.#file('script')}`;
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-s', 't', ...size, shell);
    this.#tmux('set', '-g', 'status', 'off');
    this.#tmux('set', '-g', 'escape-time', '0');
  }

  [Symbol.dispose](): void {
    this.#tmux('kill-server');
    this.#scratch[Symbol.dispose]();
  }

  /** The screen, without the blanks at the ends of lines. `styled`: with the sequences of colours and attributes. */
  screen(styled = false): string {
    const text = this.#tmux('capture-pane', '-p', ...(styled ? ['-e'] : []), '-t', 't');
    return text.replace(/[ \t]+$/gm, '').replace(/\n+$/, '\n');
  }

  /** Presses keys, by tmux's names, one after the other. */
  press(...keys: readonly string[]): void {
    this.#tmux('send-keys', '-t', 't', ...keys);
  }

  type(text: string): void {
    this.#tmux('send-keys', '-t', 't', '-l', text);
  }

  /** Waits until the program has the terminal: it gets each key at once, and nothing is echoed. */
  async takesKeys(): Promise<void> {
    const tty = this.#tmux('display-message', '-p', '-t', 't', '#{pane_tty}').trim();
    await until('the program to take the terminal', () => {
      const { stdout } = spawnSync('stty', ['-a', '-F', tty], { encoding: 'utf8' });
      return stdout.includes('-icanon') && /-echo\b/.test(stdout);
    });
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-t', 't', '-x', `${columns}`, '-y', `${rows}`);
  }

  /** Waits until the screen shows something. */
  async sees(what: RegExp): Promise<string> {
    for (const end = performance.now() + HANGS_MS; ; await pause(40)) {
      const seen = this.screen();
      if (what.test(seen)) return seen;
      if (performance.now() > end) assert.fail(`${what} was never seen:\n${seen}`);
    }
  }

  /**
   * Waits until the screen equals `screens/NAME.txt`, which is for people: check that it is right before it is stored.
   * `TERRARIUM_WRITE_SCREENS=1` writes the screen when it no longer changes.
   */
  async shows(name: string, read: (screen: string) => string = (screen) => screen): Promise<void> {
    const file = path.join(root, 'test/tui/screens', `${name}.txt`);
    if (process.env.TERRARIUM_WRITE_SCREENS === '1') writeFileSync(file, read(await this.#settled()));
    const golden = existsSync(file) ? readFileSync(file, 'utf8') : '';
    for (const end = performance.now() + HANGS_MS; performance.now() < end; await pause(40)) {
      if (read(this.screen()) === golden) return;
    }
    assert.equal(read(this.screen()), golden, `screens/${name}.txt`);
  }

  async #settled(): Promise<string> {
    for (let last = ''; ; await pause(800)) {
      const seen = this.screen();
      if (seen === last && seen.trim() !== '') return seen;
      last = seen;
    }
  }

  /** The process of the command. */
  get pid(): number {
    const pane = this.#tmux('display', '-p', '-t', 't', '#{pane_pid}').trim();
    return Number(spawnSync('pgrep', ['-P', pane], { encoding: 'utf8' }).stdout.split('\n')[0]);
  }

  /** True while the alternate screen is shown. */
  get alternate(): boolean {
    return this.#tmux('display', '-p', '-t', 't', '#{alternate_on}').trim() === '1';
  }

  /** Waits for the command's end: its exit status, and whether it restored the terminal. */
  async ended(): Promise<{ status: number; restored: boolean }> {
    for (const end = performance.now() + HANGS_MS; ; await pause(40)) {
      if (existsSync(this.#file('after')) && this.#read('after').endsWith('\n')) break;
      if (performance.now() > end) assert.fail(`it did not end:\n${this.screen()}`);
    }
    const modes = this.#tmux('display', '-p', '-t', 't', '#{alternate_on} #{cursor_flag} #{wrap_flag}');
    const restored = modes.trim() === '0 1 1' && this.#read('before') === this.#read('after');
    return { status: Number(this.#read('status')), restored };
  }

  #file(name: string): string {
    return this.#scratch.file(name);
  }

  #read(name: string): string {
    return readFileSync(this.#file(name), 'utf8');
  }

  #tmux(...args: string[]): string {
    const env = { ...process.env, LC_ALL: 'C.UTF-8', TERM: 'xterm-256color', TMUX: '' };
    const options = { encoding: 'utf8', env, cwd: root } as const;
    return spawnSync('tmux', ['-u', '-S', this.#file('tmux'), ...args], options).stdout;
  }
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
