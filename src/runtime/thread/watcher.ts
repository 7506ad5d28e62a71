/**
 * The watcher of a hosted machine: the exit log with its readers (statistics, a trace, a debugger's list of the last exits), and a
 * profiler. It is loaded separately, since most machines do not need it.
 *
 * @module
 */
import type { Image } from '../../boot/index.js';
import type { EngineCounters } from '../../engine/contract/index.js';
import { ConfigError } from '../../errors.js';
import { kernelNames } from '../../inspect/index.js';
import type { ExitObserver, Machine } from '../../machine/index.js';
import { type Profile, Profiler } from '../../profile/index.js';
import { SymbolTable } from '../../symbols/index.js';
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
  /** How many CPUs the machine has. */
  cpus: number;
  /** A log that this one continues with. */
  continues: { origin: number | undefined } | undefined;
  machine(): Machine;
  image: Image;
  /** Takes the trace's bytes before it returns. */
  write(bytes: Uint8Array): void;
}

/** The information about a machine's exits. */
export interface Watched {
  /** Undefined where exits are not watched. */
  readonly observer: ExitObserver | undefined;
  readonly originMs: number | undefined;
  /** True where exits are counted. */
  readonly counts: boolean;
  counted(now: EngineCounters, before?: EngineCounters): { statistics: unknown; counters: CounterRow[] };
  /** The last exits, a line each. */
  exits(): string;
  /** Called when the machine has been made, before it runs. */
  begin(): void;
  /** Where the guest spent its instructions, if requested. */
  profile(): Profile | undefined;
}

export type Watcher = typeof watchMachine;

/** True for a machine whose exits are watched. */
export function wantsWatcher({ trace, statistics, debug, profile }: ObserveOptions): boolean {
  return [trace, statistics, debug, profile].some(Boolean);
}

/** See the module's comment. */
export function watchMachine(parts: WatcherParts): Watched {
  const { observe, syntax, names, cpus, continues, machine, write } = parts;
  const log = new ExitLog();
  if (continues?.origin !== undefined) log.begin(continues.origin);
  const statistics = observe.statistics ? new Statistics(names) : undefined;
  if (statistics !== undefined) log.subscribe(statistics.reader);
  const { trace } = observe;
  const exits = [trace, observe.statistics, observe.debug].some(Boolean);
  let profiler: Profiler | undefined;
  const observer = trace
    ? new Tracer({
        log,
        names,
        cpus,
        syntax,
        options: trace,
        continues: continues !== undefined,
        machine,
        write,
      })
    : log;
  return {
    observer: exits ? observer : undefined,
    get originMs() {
      return log.originMs;
    },
    counts: statistics !== undefined,
    counted: (now, before) => ({
      statistics: statistics?.toJSON(),
      counters: counterRows(counterGroups(now), before && counterGroups(before)),
    }),
    exits() {
      const lines = [traceHeader(cpus).trimEnd()];
      for (let i = Math.max(0, log.total - LAST_EXITS); i < log.total; i++)
        lines.push(formatTraceLine(log, i, names, undefined, cpus).trimEnd());
      return lines.join('\n');
    },
    begin() {
      if (observe.profile) profiler = profile(parts);
    },
    profile: () => profiler?.profile(),
  };
}

function profile({ machine, image, observe }: WatcherParts): Profiler {
  const { cpus, memory, engine } = machine();
  const profiler = new Profiler({
    cpus,
    memory,
    symbols: new SymbolTable(
      observe.symbols ?? image,
      kernelNames(() => memory),
    ),
  });
  if (profiler.start()) return profiler;
  throw new ConfigError(
    `a profile counts instructions, which the engine ${engine.name} does not`,
    "use the software CPU: engine: 'soft'",
  );
}
