/** Helpers for tests of several rooms: the command line as a process, the guests, and the features of this host. */
import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type EndedCommand, runCommand } from './support/command.js';
import './support/turns.js';

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

/** Why a template of `terrarium new` cannot be tested here, or false: its language's compiler or make is missing. */
export function noToolsFor(template: string): string | false {
  const [language] = /^(nasm|rust|zig)/.exec(template) ?? [];
  const programs = ['make', ...(language === undefined ? [] : [language === 'rust' ? 'rustc' : language])];
  const missing = programs.find((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  return noGcc || (missing === undefined ? false : `SKIPPED: no ${missing} here`);
}

/** Runs `terrarium …` to its end. Output is text in latin1, so that every byte counts. */
export function terrarium(
  args: readonly string[],
  { input = '', cwd = root }: { input?: string | Buffer; cwd?: string } = {},
): EndedCommand {
  return runCommand(args, { input, cwd, env: { ...process.env, NO_COLOR: '1' }, timeoutMs: HANGS_MS });
}

/** The same in a separate process, which is the subject of few tests. */
export function terrariumProcess(
  args: readonly string[],
  { input = '', cwd = root }: { input?: string | Buffer; cwd?: string } = {},
): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [cli, ...args], {
    encoding: 'latin1',
    timeout: HANGS_MS,
    maxBuffer: 256 * 1024 * 1024,
    input,
    cwd,
    env: { ...process.env, NO_COLOR: '1' },
  });
}

/** Starts `terrarium …` and lets it run. */
export function startTerrarium(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [cli, ...args], { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** A process that has not ended after this time hangs; on a busy host one may wait for seconds. */
export const HANGS_MS = 60_000;

/** Waits until a condition holds, and fails after the time of a hang. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const limit = performance.now() + HANGS_MS; !(await holds()); await pause(20)) {
    if (performance.now() > limit) throw new Error(`waited ${HANGS_MS / 1000} s for ${what}`);
  }
}

/** A process's exit status, or an error where it hangs. */
export async function ending(child: ChildProcess): Promise<[code: number | null, signal: string | null]> {
  const signal = AbortSignal.timeout(HANGS_MS);
  return (await once(child, 'exit', { signal })) as [number | null, string | null];
}

/** Resolves when a process has printed a text, which is not read: its pipe fills. */
export async function hasPrinted({ stdout }: ChildProcess): Promise<void> {
  await once(stdout!, 'readable', { signal: AbortSignal.timeout(HANGS_MS) });
}

/** Resolves when no thread of a process has anything to do: it waits. One that waits for a processor counts as busy. */
export async function sleeps(child: ChildProcess): Promise<void> {
  const folder = `/proc/${child.pid}/task`;
  const busy = (tid: string) => !/\) S /.test(readFileSync(`${folder}/${tid}/stat`, 'latin1'));
  let quiet = 0;
  await until(`process ${child.pid} to sleep`, () => {
    quiet = readdirSync(folder).some(busy) ? 0 : quiet + 1;
    return quiet > 5;
  });
}

/**
 * Time that this process's threads were ready to run while the host's processors were busy elsewhere, in milliseconds
 * (Documentation/scheduler/sched-stats.rst); 0 where the kernel does not report it. A measured time less the increase
 * of this value is the time on an idle host.
 */
export function waitedForProcessor(): number {
  try {
    const threads = readdirSync('/proc/self/task');
    const waits = threads.map(
      (tid) => readFileSync(`/proc/self/task/${tid}/schedstat`, 'latin1').split(' ')[1],
    );
    return waits.reduce((sum, wait) => sum + Number(wait) / 1e6, 0);
  } catch {
    return 0;
  }
}

/**
 * A clock that stops while this process waits for a processor: milliseconds since it was made. On an idle host it is an
 * ordinary clock; on a busy one it may be slow, since the waiting times of several threads add up.
 */
export function ownClock(): () => number {
  const [started, waited] = [performance.now(), waitedForProcessor()];
  return () => performance.now() - started - (waitedForProcessor() - waited);
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

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * This process's host resources: open files, mappings, threads. Only mappings of the kinds that a machine makes are
 * counted: of files (such as a vCPU's) and of memory from 8 MiB on; the many small ones are V8's heap, which grows and
 * shrinks.
 */
export function holdings(): { fds: number; maps: number; threads: number } {
  collectGarbage();
  const mappings = readFileSync('/proc/self/maps', 'utf8').trimEnd().split('\n');
  const counted = mappings.filter((line) => {
    const [range, , , , inode] = line.split(/\s+/);
    const [start, end] = range!.split('-').map((address) => Number.parseInt(address, 16));
    return inode !== '0' || end! - start! >= 8 * 1024 * 1024;
  });
  return {
    fds: readdirSync('/proc/self/fd').length,
    maps: counted.length,
    threads: readdirSync('/proc/self/task').length,
  };
}

/**
 * This process's host resources after garbage collection: the end of a thread and the release of its memory take time.
 * Returns as soon as nothing exceeds `before`, or after three seconds with the current counts.
 */
export async function settled(before: ReturnType<typeof holdings>): Promise<ReturnType<typeof holdings>> {
  for (let tries = 0; ; tries++) {
    const now = holdings();
    const above = now.fds > before.fds || now.maps > before.maps || now.threads > before.threads;
    if (!above || tries === 30) return now;
    await pause(100);
  }
}
