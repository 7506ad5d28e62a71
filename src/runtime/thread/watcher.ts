/**
 * The exit log of a hosted machine with its readers: statistics, a trace, a debugger's list of the last exits. A room of its own to
 * load, which most machines do not need.
 *
 * @module
 */
import type { EngineCounters } from '../../engine/contract/index.js';
import type { ExitObserver, Machine } from '../../machine/index.js';
import {
  type CounterRow,
  counterGroups,
  counterRows,
  ExitLog,
  formatTraceLine,
  Statistics,
  traceHeader,
} from '../../trace/index.js';
import type { ObserveOptions } from './protocol.js';
import { Tracer } from './tracer.js';

/** Exits that a debugger shows. */
const LAST_EXITS = 24;

export interface WatcherParts {
  observe: ObserveOptions;
  /** How a trace writes instructions. */
  syntax: 'intel' | 'att' | undefined;
  /** The names of the devices, by number. */
  names: readonly string[];
  /** A log that this one continues with. */
  continues: { origin: number | undefined } | undefined;
  machine(): Machine;
  /** Takes the trace's bytes before it returns. */
  write(bytes: Uint8Array): void;
}

/** What is known of a machine's exits. */
export interface Watched {
  readonly observer: ExitObserver;
  readonly originMs: number | undefined;
  /** True where exits are counted. */
  readonly counts: boolean;
  counted(now: EngineCounters, before?: EngineCounters): { statistics: unknown; counters: CounterRow[] };
  /** The last exits, a line each. */
  exits(): string;
}

export type Watcher = typeof watchExits;

/** True for a machine whose exits somebody wants to know of. */
export function wantsWatcher({ trace, statistics, debug }: ObserveOptions): boolean {
  return [trace, statistics, debug].some(Boolean);
}

/** See the module's comment. */
export function watchExits({ observe, syntax, names, continues, machine, write }: WatcherParts): Watched {
  const log = new ExitLog();
  if (continues?.origin !== undefined) log.begin(continues.origin);
  const statistics = observe.statistics ? new Statistics(names) : undefined;
  if (statistics !== undefined) log.subscribe(statistics.reader);
  const { trace } = observe;
  const observer = trace
    ? new Tracer({ log, names, syntax, options: trace, continues: continues !== undefined, machine, write })
    : log;
  return {
    observer,
    get originMs() {
      return log.originMs;
    },
    counts: statistics !== undefined,
    counted: (now, before) => ({
      statistics: statistics?.toJSON(),
      counters: counterRows(counterGroups(now), before && counterGroups(before)),
    }),
    exits() {
      const lines = [traceHeader().trimEnd()];
      for (let i = Math.max(0, log.total - LAST_EXITS); i < log.total; i++)
        lines.push(formatTraceLine(log, i, names).trimEnd());
      return lines.join('\n');
    },
  };
}
