/**
 * Writes a trace on the machine's thread. The exit log has the numbers; facts that are known only at this moment (the
 * instruction in the guest's memory, the register that the device is about to access) are stored beside it as texts. Both are
 * written in batches, when the log is flushed.
 *
 * @module
 */
import type { Access, AccessWords, Device } from '../../devices/contract/index.js';
import type { Exit } from '../../engine/contract/index.js';
import type { ExitObserver, Machine } from '../../machine/index.js';
import {
  ChromeEncoder,
  ExitCode,
  type ExitLog,
  type ExitTest,
  entryTest,
  exitTest,
  NdjsonEncoder,
  TextTrace,
  type TraceEncoder,
  type TraceTexts,
  traceTexts,
} from '../../trace/index.js';
import type { TraceOptions } from './protocol.js';

/** How many accesses of one exit get a register's name: four bytes that go to a byte-wide device. */
const NAMED = 4;
/** How many bytes are collected before they are written. */
const BATCH = 64 * 1024;
/** How many meanings are cached per register. */
const REMEMBERED = 256;

export interface TracerParts {
  log: ExitLog;
  /** Of the devices, by number. */
  names: readonly string[];
  /** How many CPUs the machine has. Default 1. */
  cpus?: number;
  options: TraceOptions;
  /** How instructions are written. Default `intel`. */
  syntax?: 'intel' | 'att' | undefined;
  /** The file already has the entries of an earlier log. Default false. */
  continues?: boolean;
  /** Undefined until it is made. */
  machine(): Machine | undefined;
  /** Must use the bytes before it returns. */
  write(bytes: Uint8Array): void;
}

/** See the module's comment. */
export class Tracer implements ExitObserver {
  readonly #log: ExitLog;
  readonly #texts: TraceTexts;
  readonly #syntax: 'intel' | 'att' | undefined;
  readonly #test: ExitTest | undefined;
  readonly #machine: () => Machine | undefined;
  readonly #named: { words: AccessWords; offset: number; size: number }[] = [];
  readonly #meanings = new WeakMap<AccessWords, Map<number, string>>();
  /** By CPU. */
  readonly #codes: ExitCode[] = [];

  constructor({ log, names, cpus = 1, options, syntax, continues = false, machine, write }: TracerParts) {
    this.#log = log;
    this.#syntax = syntax;
    this.#machine = machine;
    this.#texts = traceTexts(log.capacity);
    this.#test = options.filter && exitTest(options.filter, names);
    const shown = this.#test && entryTest(this.#test);
    const encoder = encoderFor(options, names, this.#texts, cpus);
    const head = continues ? new Uint8Array(0) : encoder.head();
    if (head.length > 0) write(head);
    log.subscribe((_, from, to) => {
      const { writer } = encoder;
      for (let index = from; index < to; index++) {
        if (shown !== undefined && !shown(log, index)) continue;
        encoder.add(log, index);
        if (writer.length < BATCH) continue;
        write(writer.bytes);
        writer.clear();
      }
      if (writer.length > 0) write(writer.bytes);
      writer.clear();
    });
  }

  begin(started: number): void {
    this.#log.begin(started);
  }

  flush(): void {
    this.#log.flush();
  }

  access(device: Device, access: Access, offset: number): void {
    if (this.#named.length >= NAMED) return;
    const words = device.describeAccess?.(access);
    if (words !== undefined) this.#named.push({ words, offset, size: access.size });
  }

  record(exit: Exit, device: number, started: number, ended: number, executed?: number): void {
    const log = this.#log;
    const at = log.total & log.mask;
    const { kind, address, size, ripLow, ripHigh } = exit;
    const shown = this.#test?.(kind, address, size, ripLow, ripHigh, device) ?? true;
    const { instructions, registers, meanings, calls } = this.#texts;
    instructions[at] = shown && !exit.coalesced ? this.#instruction(exit) : '';
    const named = shown ? this.#namesOf(exit) : [];
    registers[at] = joined(named.map(({ words }) => words.register));
    meanings[at] = shown ? this.#meaningOf(named, exit) : '';
    calls[at] = named[0]?.words.isCall === true ? 1 : 0;
    this.#named.length = 0;
    log.record(exit, device, started, ended, executed);
  }

  #instruction(exit: Exit): string {
    const machine = this.#machine();
    const cpu = machine?.cpus[exit.cpu];
    if (machine === undefined || cpu === undefined) return '';
    const { memory, engine } = machine;
    const code =
      this.#codes[exit.cpu] ?? new ExitCode(memory, cpu, engine.capabilities.exactRip, this.#syntax);
    this.#codes[exit.cpu] = code;
    return code.textOf(exit);
  }

  /** The accesses of string I/O all go to one register: the first is enough. */
  #namesOf(exit: Exit) {
    return exit.count > 1
      ? this.#named.filter(({ offset }) => offset < exit.offset + exit.size)
      : this.#named;
  }

  #meaningOf(named: readonly { words: AccessWords; offset: number; size: number }[], exit: Exit): string {
    const [first] = named;
    if (first === undefined) return '';
    if (named.length === 1) return this.#meaning(first.words, exit.data, first.offset, first.size);
    // One access to several registers: each gets its part of the value.
    const parts = named.map(({ words, offset, size }) => {
      const meaning = this.#meaning(words, exit.data, offset, size);
      const value = `0x${valueAt(exit.data, offset, size)
        .toString(16)
        .padStart(size * 2, '0')}`;
      return meaning === '' ? value : `${value} ${meaning}`;
    });
    return parts.join('; ');
  }

  #meaning(words: AccessWords, data: DataView, offset: number, size: number): string {
    if (words.says === undefined || size > 4) return '';
    // A BIOS call has its own description.
    if (words.isCall) return words.says(0);
    const value = valueAt(data, offset, size);
    let known = this.#meanings.get(words);
    if (known === undefined) {
      known = new Map();
      this.#meanings.set(words, known);
    }
    let meaning = known.get(value);
    if (meaning === undefined) {
      meaning = words.says(value);
      if (known.size >= REMEMBERED) known.clear();
      known.set(value, meaning);
    }
    return meaning;
  }
}

function joined(registers: readonly string[]): string {
  return registers.length === 1 ? registers[0]! : [...new Set(registers)].join(', ');
}

function valueAt(data: DataView, offset: number, size: number): number {
  if (size === 1) return data.getUint8(offset);
  if (size === 2) return data.getUint16(offset, true);
  return data.getUint32(offset, true);
}

function encoderFor(
  { format, columns }: TraceOptions,
  names: readonly string[],
  texts: TraceTexts,
  cpus: number,
): TraceEncoder {
  if (format === 'ndjson') return new NdjsonEncoder(names, texts);
  if (format === 'chrome') return new ChromeEncoder(names, texts, cpus);
  return new TextTrace(names, texts, cpus, columns);
}
