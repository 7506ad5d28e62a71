import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../../errors.js';
import { type CounterGroup, type CounterRow, counterRows } from '../../trace/index.js';
import {
  type CounterSource,
  openProcess,
  type ProcessCounters,
  StatError,
  type WatchedProcess,
} from './process-counters.js';

export interface WatchOptions {
  /** Milliseconds between two samples. Default 1,000. */
  intervalMs?: number;
  /** End after this many samples. Default: never. */
  count?: number;
  /** Ends the watch when it aborts. */
  signal?: AbortSignal;
  /** Where debugfs is mounted. Default /sys/kernel/debug. */
  debugfs?: string;
}

/** One sample of a process. */
export interface StatSample {
  readonly pid: number;
  /** Milliseconds since the first sample. */
  readonly elapsedMs: number;
  readonly source: CounterSource;
  /** Every counter, with its rate from the second sample on. Empty while the process has no virtual machine. */
  readonly rows: readonly CounterRow[];
  /** True for the last sample of a process that has ended: its counters are those of the sample before. */
  readonly ended: boolean;
}

/**
 * Samples KVM's counters of another process, until it ends; the last sample then has `ended`.
 *
 * ```ts
 * for await (const { rows } of watchStats(pid, { intervalMs: 500 })) console.log(formatCounters(rows));
 * ```
 * @throws StatError: `ESRCH` no such process, `ENOVM` no virtual machine in it, `EPERM`, `ENOCOUNTERS`: it has not opened
 * its counters and debugfs cannot be read.
 */
export async function* watchStats(pid: number, options: WatchOptions = {}): AsyncGenerator<StatSample, void> {
  if (!Number.isInteger(pid) || pid < 1) throw new ConfigError(`${pid} is not the number of a process`);
  yield* watchCounters(openProcess(pid, options.debugfs), options);
}

/** The same for any source of counters; the source is disposed at the end. */
export async function* watchCounters(
  watched: WatchedProcess,
  options: WatchOptions = {},
): AsyncGenerator<StatSample, void> {
  const { intervalMs = 1000, count = Number.POSITIVE_INFINITY, signal } = options;
  try {
    if (!(intervalMs >= 1)) throw new ConfigError(`intervalMs is ${intervalMs}`, 'give a number from 1');
    yield* samples(watched, intervalMs, count, signal);
  } finally {
    watched[Symbol.dispose]();
  }
}

async function* samples(
  watched: WatchedProcess,
  intervalMs: number,
  count: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<StatSample, void> {
  const { pid } = watched;
  const started = performance.now();
  let before: { groups: readonly CounterGroup[]; at: number } | undefined;
  let source: CounterSource = 'files';
  for (let looks = 1; !signal?.aborted; looks++) {
    const found = await look(watched, before !== undefined);
    const at = performance.now();
    const elapsedMs = at - started;
    if (found === undefined) {
      const rows = counterRows(before?.groups ?? []);
      yield { pid, elapsedMs, source, rows, ended: true };
      return;
    }
    source = found.source;
    const seconds = before && (at - before.at) / 1000;
    yield {
      pid,
      elapsedMs,
      source,
      rows: counterRows(found.groups, before?.groups, seconds),
      ended: false,
    };
    before = { groups: found.groups, at };
    if (looks >= count) return;
    // Relative to the first sample, so that delays of a slow reader do not accumulate.
    const next = started + looks * intervalMs - performance.now();
    await sleep(Math.max(0, next), undefined, signal && { signal }).catch(() => {});
  }
}

/** Undefined where the process has ended. */
async function look(watched: WatchedProcess, known: boolean): Promise<ProcessCounters | undefined> {
  let found: ProcessCounters | undefined;
  try {
    found = await watched.read();
  } catch (error) {
    // Errors of an ending process are not reported.
    if (known && !watched.alive) return undefined;
    throw error;
  }
  if (!watched.alive) return undefined;
  if (found !== undefined) return found;
  if (known) return { source: 'files', groups: [] };
  throw new StatError('ENOVM', `process ${watched.pid} runs no KVM virtual machine`, {
    hint: 'find those that do: sudo ls -l /proc/*/fd | grep kvm-vm; the kernel has no counters of a machine on the software CPU: start it with --name',
  });
}
