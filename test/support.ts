/** What the tests that cross rooms share: the command line as a process, the guests, and what this host can do. */
import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const root = path.resolve('.');
export const cli = path.join(root, 'dist/cli.cjs');

/** Why tests on real KVM cannot run here, or false: the value of a test's `skip`. */
export const noKvm: string | false = (() => {
  try {
    closeSync(openSync('/dev/kvm', 'r+'));
    return false;
  } catch (error) {
    return `SKIPPED: no usable /dev/kvm here: ${(error as Error).message}`;
  }
})();

/** Why tests that compile cannot run here, or false. */
export const noGcc: string | false =
  spawnSync('gcc', ['--version']).status === 0 ? false : 'SKIPPED: no gcc here: apt-get install gcc';

/** Runs `terrarium …` to its end. Output is text in latin1, so that every byte counts. */
export function terrarium(
  args: readonly string[],
  options: { input?: string | Buffer; cwd?: string } = {},
): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [cli, ...args], {
    encoding: 'latin1',
    timeout: 60_000,
    maxBuffer: 256 * 1024 * 1024,
    input: options.input ?? '',
    cwd: options.cwd ?? root,
    env: { ...process.env, NO_COLOR: '1' },
  });
}

/** Starts `terrarium …` and lets it run. */
export function startTerrarium(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [cli, ...args], { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** A folder for one test, removed at its end. */
export class Scratch implements Disposable {
  readonly path = mkdtempSync(path.join(tmpdir(), 'terrarium-test-'));
  file(name: string): string {
    return path.join(this.path, name);
  }
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** What this process holds of the host: open files, mappings, threads. */
export function holdings(): { fds: number; maps: number; threads: number } {
  return {
    fds: readdirSync('/proc/self/fd').length,
    maps: readFileSync('/proc/self/maps', 'utf8').split('\n').length,
    threads: readdirSync('/proc/self/task').length,
  };
}
