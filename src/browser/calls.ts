/**
 * The calls of a page, answered in the Worker.
 *
 * @module
 */
import { mnemonics } from '../assembler/index.js';
import { type DebugStop, errorText } from '../debug/index.js';
import { strokesOf } from '../devices/index.js';
import { ConfigError } from '../errors.js';
import { endsBadly, explain, formatExplanation } from '../explain/index.js';
import { checkExpectation, parseExpectation } from '../inspect/index.js';
import { SymbolTable } from '../symbols/index.js';
import { decodeTerra, encodeTerra } from '../terra/index.js';
import { buildProject } from './build.js';
import { instructionHelp } from './instruction-help.js';
import { lookAt, placeOf } from './look.js';
import { endOf, type Given, givenBy, type HostParts, importDevices, MachineHost } from './machine-host.js';
import {
  type Check,
  type CheckResult,
  type Halt,
  type Look,
  type MachineParts,
  type MadeInWorker,
  moves,
  type PageNotice,
  type SetBreakpoint,
  type WantedBreakpoint,
  type WorkerCalls,
} from './messages.js';
import { pagesOf, ringsOf, tablesOf } from './tables.js';

/** A checked guest is small: one that runs longer does not end. */
const CHECK_MS = 5000;
const MOST_CONSOLE = 1 << 20;
/** The most breakpoints at a time. */
const MOST_BREAKPOINTS = 1000;

/** The handlers of the calls. */
export type Answers = {
  [K in keyof WorkerCalls]: (
    ...args: Parameters<WorkerCalls[K]>
  ) => ReturnType<WorkerCalls[K]> | Promise<ReturnType<WorkerCalls[K]>>;
};

/** A Worker's machine, and the calls to it. */
export class Calls implements Answers {
  readonly #host: HostParts;
  #made: MachineHost | undefined;
  #real = true;
  #wanted: readonly WantedBreakpoint[] = [];

  constructor(host: HostParts) {
    this.#host = host;
  }

  /** Messages without an answer. */
  notice(notice: PageNotice): void {
    const made = this.#made;
    if (notice.tell === 'pace') this.#real = notice.real;
    if (made === undefined) return;
    if (notice.tell === 'interrupt') void made.debug.interrupt();
    else if (notice.tell === 'send') made.input.add(notice.bytes);
    else if (notice.tell === 'key') made.keys.add({ name: notice.name, down: notice.down });
    else if (notice.tell === 'type') for (const stroke of strokesOf(notice.keys)) made.keys.add(stroke);
    else if (notice.tell === 'mouse') made.moves.add(notice.move);
    else if (notice.tell === 'taken') made.output.taken(notice.bytes);
    else if (notice.tell === 'shown') made.shown();
    else made.realTime = notice.real;
  }

  assemble = buildProject;

  help = instructionHelp;

  mnemonics = (): readonly string[] => [...mnemonics()];

  async open(parts: MachineParts): Promise<MadeInWorker> {
    this.close();
    return this.#open(givenBy(parts, await importDevices(parts.devices ?? [], location.href)));
  }

  async openTerra(file: Uint8Array): Promise<MadeInWorker> {
    this.close();
    const { spec, image, state, record, named = [] } = await decodeTerra(file);
    if (named.length > 0)
      throw new ConfigError(
        `this snapshot's machine has ${named.join(', ')}, which the file does not hold`,
        'run it on the computer that has them: terrarium run --from FILE',
      );
    const inputs = record?.events ?? [];
    return this.#open({
      spec,
      image,
      state,
      symbols: undefined,
      drives: [],
      initrd: undefined,
      devices: () => [],
      inputs,
    });
  }

  async restart(): Promise<Look> {
    await this.#current.debug.restart();
    this.#current.settle();
    return this.look({});
  }

  go(move: (typeof moves)[number]): Promise<Halt> {
    if (!moves.includes(move)) throw new ConfigError(`a guest cannot '${String(move)}'`, moves.join(', '));
    const { debug, instructions } = this.#current;
    return this.#halted(move === 'resume' && instructions === 0 ? debug.start() : debug[move]());
  }

  goTo(instructions: number): Promise<Halt> {
    return this.#halted(this.#current.debug.goTo(instructions));
  }

  goToExit(exit: number): Promise<Halt> {
    return this.#halted(this.#current.debug.goToExit(exit));
  }

  async runTo(instructions: number): Promise<Halt> {
    const made = this.#current;
    if (!Number.isSafeInteger(instructions) || instructions < 0)
      throw new ConfigError(`there is no moment ${instructions}`, 'a moment is a number of instructions');
    made.until = instructions;
    try {
      const halt = await this.#halted(made.debug.resume());
      if (made.instructions <= instructions) return halt;
      return await this.goTo(instructions);
    } finally {
      made.until = Number.POSITIVE_INFINITY;
    }
  }

  lastWrite(what: string): Promise<Halt> {
    return this.#halted(this.#current.debug.lastWrite(what));
  }

  look(what: Parameters<WorkerCalls['look']>[0]): Promise<Look> {
    const { debug, target, machine, time, instructions } = this.#current;
    // The guest may run: the debugger's cached state is outdated.
    debug.changed();
    const atEnd = this.#ended?.at === instructions;
    return lookAt(
      { debug, target, time, exits: machine.exits, end: atEnd ? this.#ended?.end : undefined },
      what,
    );
  }

  async breakpoints(wanted: readonly WantedBreakpoint[]): Promise<SetBreakpoint[]> {
    this.#wanted = wanted.slice(0, MOST_BREAKPOINTS);
    const { debug } = this.#current;
    return debug.meanwhile(async () => {
      for (const id of [...debug.breakpoints.keys()]) await debug.removeBreakpoint(id);
      const set: SetBreakpoint[] = [];
      for (const { file, line, where, condition } of this.#wanted) {
        try {
          const at = where ?? `${file}:${line}`;
          const made = await debug.addBreakpoint(at, condition === undefined ? {} : { condition });
          set.push(made.source ? { line: made.source.line } : {});
        } catch (error) {
          set.push({ problem: errorText(error) });
        }
      }
      return set;
    });
  }

  async watch(expressions: readonly string[]): Promise<(string | undefined)[]> {
    const { debug } = this.#current;
    return debug.meanwhile(async () => {
      for (const id of [...debug.watchpoints.keys()]) await debug.removeWatchpoint(id);
      const problems: (string | undefined)[] = [];
      for (const expression of expressions) {
        try {
          await debug.addWatchpoint(expression);
          problems.push(undefined);
        } catch (error) {
          problems.push(errorText(error));
        }
      }
      return problems;
    });
  }

  async evaluate(text: string): Promise<string> {
    return (await this.#current.debug.evaluate(text)).text;
  }

  async setRegister(name: string, value: bigint): Promise<void> {
    await this.#current.target.setRegister(name, value);
    this.#current.debug.changed();
  }

  async write(address: bigint, bytes: Uint8Array): Promise<void> {
    await this.#current.target.write(address, bytes);
    this.#current.debug.changed();
  }

  describe(what: string): string {
    return this.#current.session.describe(what);
  }

  tables(): ReturnType<WorkerCalls['tables']> {
    return tablesOf(this.#current);
  }

  pages(what: Parameters<WorkerCalls['pages']>[0]): Promise<ReturnType<WorkerCalls['pages']>> {
    this.#current.debug.changed();
    return pagesOf(this.#current, what);
  }

  rings(): ReturnType<WorkerCalls['rings']> {
    return ringsOf(this.#current);
  }

  heat(what: Parameters<WorkerCalls['heat']>[0]): ReturnType<WorkerCalls['heat']> {
    return this.#current.heat.heat(what);
  }

  why(): ReturnType<WorkerCalls['why']> {
    const { session, debug } = this.#current;
    const explanation = session.why();
    const source = debug.symbols.lines.at(session.here().pc);
    return { explanation, text: formatExplanation(explanation), ...(source && { line: placeOf(source) }) };
  }

  exits(from: number, count: number): ReturnType<WorkerCalls['exits']> {
    return this.#current.exits.rows(from, count);
  }

  async timeline(
    columns: number,
    part?: Parameters<WorkerCalls['timeline']>[1],
  ): Promise<ReturnType<WorkerCalls['timeline']>> {
    const { exits, target, instructions } = this.#current;
    return exits.timeline(columns, (await target.history())?.last ?? instructions, part);
  }

  inputs(): ReturnType<WorkerCalls['inputs']> {
    return this.#current.events;
  }

  async save(): Promise<Uint8Array> {
    const { machine, given } = this.#current;
    return encodeTerra({ spec: given.spec, image: given.image, state: machine.save() });
  }

  /** Makes a new machine, runs it to its end, and reports which expectations hold. */
  async check(parts: MachineParts, check: Check): Promise<CheckResult> {
    const expectations = check.expectations.map(parseExpectation);
    const devices = await importDevices(parts.devices ?? [], location.href, check.options);
    const given = givenBy(parts, devices);
    using made = new MachineHost(
      { ...given, spec: { ...given.spec, coalesce: false } },
      { ...this.#host, post: () => {} },
    );
    const { machine } = made;
    if (check.input !== undefined) made.input.add(new TextEncoder().encode(check.input));
    for (const stroke of strokesOf(check.keys ?? '')) made.keys.add(stroke);
    const outcome = machine.run({ timeoutMs: Math.min(check.timeoutMs ?? CHECK_MS, 60_000) });
    const console = made.output.rest(MOST_CONSOLE);
    const subject = { ...outcome, outcome: outcome.kind, memory: machine.memory, console };
    const results = expectations.map((one) => checkExpectation(one, subject));
    const end = endOf(outcome)!;
    const text = new TextDecoder('latin1').decode(console);
    if (!endsBadly(outcome)) return { end, results, console: text };
    const names = new SymbolTable(given.symbols ?? given.image);
    const why = explain({
      ...outcome,
      memory: machine.memory,
      image: machine.boot,
      ...(given.spec.syntax && { syntax: given.spec.syntax }),
      locate: (address) => names.locate(address),
    });
    return { end, results, console: text, why: formatExplanation(why) };
  }

  close(): void {
    this.#made?.[Symbol.dispose]();
    this.#made = undefined;
    this.#ended = undefined;
  }

  #ended: { at: number; end: NonNullable<Halt['end']> } | undefined;

  get #current(): MachineHost {
    if (this.#made === undefined) throw new ConfigError('there is no machine', 'run a guest first');
    return this.#made;
  }

  #open(given: Given): MadeInWorker {
    this.#made = new MachineHost(given, this.#host);
    this.#made.realTime = this.#real;
    this.#made.settle();
    return this.#made.made;
  }

  async #halted(run: Promise<DebugStop>): Promise<Halt> {
    const made = this.#current;
    try {
      const { why, notes, watchpoint, outcome } = await run;
      // The outcome is that of the last slice.
      const ended = why === 'end' ? endOf(outcome) : undefined;
      const end = ended && { ...ended, exits: made.machine.exits };
      if (end !== undefined) this.#ended = { at: made.instructions, end };
      const watched = watchpoint && { before: watchpoint.before, after: watchpoint.after };
      return { why, notes, ...(watched && { watched }), ...(end && { end }) };
    } finally {
      made.settle();
    }
  }
}
