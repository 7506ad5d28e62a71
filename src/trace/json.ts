/**
 * Entries of the exit log as JSON: one object a line (NDJSON), or events as Chrome's and Perfetto's viewers read them.
 * docs/trace.md names the fields.
 *
 * @module
 */
import { ExitKind, exitKindNames, isAccess } from '../engine/contract/index.js';
import { ByteWriter } from './bytes.js';
import type { TraceEncoder } from './encoder.js';
import type { ExitLog } from './exit-log.js';
import type { TraceTexts } from './texts.js';

const ascii = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const F = {
  exit: ascii('"exit":'),
  cpu: ascii(',"cpu":'),
  time: ascii(',"time_us":'),
  run: ascii(',"run_us":'),
  handle: ascii(',"handle_us":'),
  kind: ascii(',"kind":'),
  rip: ascii(',"rip":'),
  reason: ascii(',"reason":'),
  coalesced: ascii(',"coalesced":true'),
  port: ascii(',"port":'),
  address: ascii(',"address":'),
  size: ascii(',"size":'),
  count: ascii(',"count":'),
  data: ascii(',"data":'),
  device: ascii(',"device":'),
  register: ascii(',"register":'),
  means: ascii(',"means":'),
  instruction: ascii(',"instruction":'),
} as const;
const DIRECTIONS = [
  ascii(',"direction":"in"'),
  ascii(',"direction":"out"'),
  ascii(',"direction":"read"'),
  ascii(',"direction":"write"'),
] as const;
const OPEN = ascii('{');
const CLOSE = ascii('}');
const NEXT = ascii(',\n');
const NEWLINE = ascii('\n');
const kinds = exitKindNames.map((name) => ascii(JSON.stringify(name ?? 'unknown')));
const UNKNOWN = ascii('"unknown"');

const nanoseconds = (milliseconds: number) => Math.max(0, Math.round(milliseconds * 1e6));

/** The fields of an entry, without braces: the same in both formats. */
function addFields(
  to: ByteWriter,
  log: ExitLog,
  index: number,
  names: readonly string[],
  texts?: TraceTexts,
): void {
  const at = index & log.mask;
  const kind = log.kinds[at]!;
  to.raw(F.exit);
  to.decimal(index + 1);
  to.raw(F.cpu);
  to.decimal(log.cpus[at]!);
  to.raw(F.time);
  to.thousandths(nanoseconds(log.starts[at]! - log.originMs));
  to.raw(F.run);
  to.thousandths(nanoseconds(log.runs[at]!));
  to.raw(F.handle);
  to.thousandths(nanoseconds(log.handlings[at]!));
  to.raw(F.kind);
  to.raw(kinds[kind] ?? UNKNOWN);
  if (log.coalesced[at] === 1) to.raw(F.coalesced);
  else {
    to.raw(F.rip);
    to.hex(log.ripHigh[at]!, log.ripLow[at]!);
  }
  if (isAccess(kind)) addAccess(to, log, at, names);
  else if (log.reasons[at] !== 0) {
    to.raw(F.reason);
    to.decimal(log.reasons[at]!);
  }
  if (texts !== undefined) addTexts(to, texts, at);
}

function addAccess(to: ByteWriter, log: ExitLog, at: number, names: readonly string[]): void {
  const io = log.kinds[at] === ExitKind.io;
  const address = log.addresses[at]!;
  const size = log.sizes[at]!;
  const device = log.devices[at]!;
  to.raw(DIRECTIONS[((io ? 0 : 2) + log.writes[at]!) as 0]);
  to.raw(io ? F.port : F.address);
  const high = Math.floor(address / 2 ** 32);
  to.hex(high, address - high * 2 ** 32);
  to.raw(F.size);
  to.decimal(size);
  if (log.counts[at]! > 1) {
    to.raw(F.count);
    to.decimal(log.counts[at]!);
  }
  to.raw(F.data);
  to.hex(log.dataHigh[at]!, log.dataLow[at]!, size * 2);
  if (device < 0) return;
  to.raw(F.device);
  to.json(names[device] ?? `device ${device}`);
}

function addTexts(to: ByteWriter, { registers, meanings, instructions }: TraceTexts, at: number): void {
  if (registers[at] !== '') {
    to.raw(F.register);
    to.json(registers[at]!);
  }
  if (meanings[at] !== '') {
    to.raw(F.means);
    to.json(meanings[at]!);
  }
  if (instructions[at] !== '') {
    to.raw(F.instruction);
    to.json(instructions[at]!);
  }
}

/** One object a line. */
export class NdjsonEncoder implements TraceEncoder {
  readonly writer = new ByteWriter();
  readonly #names: readonly string[];
  readonly #texts: TraceTexts | undefined;

  /** @param names of the devices, by number */
  constructor(names: readonly string[], texts?: TraceTexts) {
    this.#names = names;
    this.#texts = texts;
  }

  head(): Uint8Array {
    return new Uint8Array(0);
  }

  add(log: ExitLog, index: number): void {
    const { writer } = this;
    writer.raw(OPEN);
    addFields(writer, log, index, this.#names, this.#texts);
    writer.raw(CLOSE);
    writer.raw(NEWLINE);
  }
}

/** The end of a file of `ChromeEncoder`. Viewers and our own reader accept a file without it. */
export const CHROME_TAIL = '\n]}\n';

const EVENT = ascii('{"ph":"X","pid":1,"tid":');
const TS = ascii(',"ts":');
const DUR = ascii(',"dur":');
const NAME = ascii(',"name":');
const ARGS = ascii(',"args":{');
const END = ascii('}}');
const GUEST = ascii('"guest","cat":"guest"}');
const HALTED = ascii('"halted, then guest","cat":"guest"}');

/** Tracks of the picture (`tid`): two of each CPU, its guest's and its exits that are no access; unclaimed accesses; the devices. */
const guestTrack = (cpu: number) => 2 * cpu;
const cpuTrack = (cpu: number) => 2 * cpu + 1;

/**
 * The Trace Event Format (a JSON object with complete events, "X"), one event per line: a track for each device, a
 * slice on it for each exit, as long as its handling, and another track for the guest's time between exits. Sorted by
 * time.
 */
export class ChromeEncoder implements TraceEncoder {
  readonly writer = new ByteWriter();
  readonly #names: readonly string[];
  readonly #texts: TraceTexts | undefined;
  readonly #cpus: number;
  /** Where the last slice began, in nanoseconds: rounding must not make time go back. */
  #last = 0;

  /**
   * @param names of the devices, by number
   * @param cpus how many CPUs the machine has
   */
  constructor(names: readonly string[], texts?: TraceTexts, cpus = 1) {
    this.#names = names;
    this.#texts = texts;
    this.#cpus = cpus;
  }

  head(): Uint8Array {
    const ofCpus = Array.from({ length: this.#cpus }, (_, cpu) =>
      this.#cpus === 1 ? ['guest', 'CPU'] : [`guest ${cpu}`, `CPU ${cpu}`],
    );
    const tracks = [...ofCpus.flat(), '(nobody)', ...this.#names];
    const events = [
      { ph: 'M', pid: 1, tid: 0, ts: 0, name: 'process_name', args: { name: 'terrarium' } },
      ...tracks.flatMap((name, tid) => [
        { ph: 'M', pid: 1, tid, ts: 0, name: 'thread_name', args: { name } },
        { ph: 'M', pid: 1, tid, ts: 0, name: 'thread_sort_index', args: { sort_index: tid } },
      ]),
    ];
    const lines = events.map((event) => JSON.stringify(event)).join(',\n');
    return new TextEncoder().encode(`{"displayTimeUnit":"ns","traceEvents":[\n${lines}`);
  }

  add(log: ExitLog, index: number): void {
    const { writer } = this;
    const at = index & log.mask;
    const start = nanoseconds(log.starts[at]! - log.originMs);
    const ran = this.#ran(log, index);
    if (ran > 0) {
      const before = (index - 1) & log.mask;
      const halted = index > 0 && log.kinds[before] === ExitKind.halt && log.cpus[before] === log.cpus[at];
      this.#event(guestTrack(log.cpus[at]!), start - ran, ran);
      writer.raw(NAME);
      writer.raw(halted ? HALTED : GUEST);
    }
    const kind = log.kinds[at]!;
    this.#event(this.#trackOf(log, at), start, nanoseconds(log.handlings[at]!));
    writer.raw(NAME);
    writer.json(nameOf(log, at));
    writer.raw(CATEGORY);
    writer.raw(kinds[kind] ?? UNKNOWN);
    writer.raw(ARGS);
    addFields(writer, log, index, this.#names, this.#texts);
    writer.raw(END);
  }

  #event(track: number, ts: number, dur: number): void {
    const { writer } = this;
    this.#last = Math.max(this.#last, ts);
    writer.raw(NEXT);
    writer.raw(EVENT);
    writer.decimal(track);
    writer.raw(TS);
    writer.thousandths(this.#last);
    writer.raw(DUR);
    writer.thousandths(dur);
  }

  /**
   * The guest's own time just before an entry, in nanoseconds. `runs` holds that of the coalesced writes before it as
   * well, which is placed before those; the time between two runs of a machine is not counted. With several CPUs it
   * begins at the latest where another CPU's entry ends.
   */
  #ran(log: ExitLog, index: number): number {
    const at = index & log.mask;
    const before = (index - 1) & log.mask;
    const end = index === 0 ? log.originMs : log.starts[before]! + log.handlings[before]!;
    const gap = log.starts[at]! - end;
    return nanoseconds(log.coalesced[at] === 1 ? gap : Math.min(gap, log.runs[at]!));
  }

  #trackOf(log: ExitLog, at: number): number {
    const kind = log.kinds[at]!;
    if (!isAccess(kind)) return cpuTrack(log.cpus[at]!);
    const device = log.devices[at]!;
    // -1, where nothing answered, is the track before the first device's.
    return 2 * this.#cpus + 1 + device;
  }
}

const CATEGORY = ascii(',"cat":');
const verbs = ['in', 'out', 'read', 'write'] as const;

/** `out 0x03f8`. */
function nameOf(log: ExitLog, at: number): string {
  const kind = log.kinds[at]!;
  if (!isAccess(kind)) return exitKindNames[kind] ?? 'unknown';
  const io = kind === ExitKind.io;
  const verb = verbs[((io ? 0 : 2) + log.writes[at]!) as 0];
  return `${verb} 0x${log.addresses[at]!.toString(16).padStart(io ? 4 : 8, '0')}`;
}
