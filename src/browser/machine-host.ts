/**
 * A machine in a Worker, with its debugger: made from a page's message, and run in slices.
 *
 * @module
 */
import { type Image, parseImage } from '../boot/index.js';
import { type MachineSpec, readSpec } from '../config/index.js';
import { Debugger, DebugSession, type DebugTarget, type Stop } from '../debug/index.js';
import type { Device } from '../devices/contract/index.js';
import { Drives, MemoryDisk, OverlayDisk } from '../devices/index.js';
import { dryRun } from '../engine/assist/index.js';
import { Control } from '../engine/contract/index.js';
import type { SoftEngine } from '../engine/soft/index.js';
import { ConfigError } from '../errors.js';
import { kernelNames } from '../inspect/index.js';
import type { InputEvent, Machine, MachineState, Outcome } from '../machine/index.js';
import { makePc, withVga } from '../pc/index.js';
import { SymbolTable } from '../symbols/index.js';
import type { RecordedInput } from '../terra/index.js';
import { MILLISECOND } from '../time/index.js';
import { ExitList } from './exit-list.js';
import { HeatCounter } from './memory-heat.js';
import {
  type DriveBytes,
  type FromWorker,
  type GuestEnd,
  type MachineParts,
  type MadeInWorker,
  PAUSE_WORD,
} from './messages.js';
import { type Slices, slicedTarget } from './sliced-target.js';
import { ConsoleIn, ConsoleOut, Keys, Moves, ScreenFeed } from './streams.js';

/** How long a guest runs before messages are read, in milliseconds. */
const SLICE_MS = 8;
/** How far the guest's time may be ahead of the host's, in milliseconds, and how far behind before the difference is dropped. */
const AHEAD_MS = 4;
const MAX_LAG_MS = 100;
const PROGRESS_MS = 60;

/** The shared parts of machines. */
export interface HostParts {
  readonly engine: SoftEngine;
  /** The control block, and the words after it. */
  readonly words: Int32Array;
  readonly post: (message: FromWorker, transfer?: Transferable[]) => void;
}

/** The parts of a machine. */
export interface Given {
  readonly spec: MachineSpec;
  readonly image: Image;
  readonly symbols: Image | undefined;
  readonly drives: readonly DriveBytes[];
  readonly initrd: Uint8Array | undefined;
  /** Makes the user's own devices, again for each machine. */
  readonly devices: () => readonly Device[];
  readonly inputs: readonly RecordedInput[];
  readonly state?: MachineState;
}

/** A page's request, checked and opened. @throws ConfigError, ImageError */
export function givenBy(parts: MachineParts, devices: () => readonly Device[]): Given {
  const { devices: _modules, ...said } = parts.spec as MachineSpec & Record<string, unknown>;
  const spec = readSpec(said, 'the machine: ');
  const image = parseImage(parts.image, parts.name, spec.as);
  const symbols = parts.symbols && parseImage(parts.symbols, parts.name);
  const { drives = [], initrd, inputs = [] } = parts;
  return { spec: withVga({ image, spec }), image, symbols, drives, initrd, devices, inputs };
}

function openDrives(list: readonly DriveBytes[]): Drives | undefined {
  if (list.length === 0) return undefined;
  const letters = { disk: 'hd', floppy: 'fd', cdrom: 'cd' } as const;
  const counts: Record<string, number> = {};
  return new Drives(
    list.map(({ kind, file, bytes }) => {
      const prefix = letters[kind];
      const number = counts[prefix] ?? 0;
      counts[prefix] = number + 1;
      const base = new MemoryDisk(bytes, { readOnly: true });
      return {
        kind,
        file,
        name: `${prefix}${number}`,
        disk: kind === 'cdrom' ? base : new OverlayDisk(base),
      };
    }),
  );
}

/** See the module's comment. One call of a debugger at a time. */
export class MachineHost implements Slices, Disposable {
  readonly given: Given;
  readonly target: DebugTarget;
  readonly session: DebugSession;
  readonly debug: Debugger;
  readonly output: ConsoleOut;
  readonly input = new ConsoleIn();
  readonly keys = new Keys();
  readonly moves = new Moves();
  /** The guest's time follows the host's. */
  realTime = true;
  /** The run is cut short when the guest has passed this moment, in instructions. */
  until = Number.POSITIVE_INFINITY;
  readonly #host: HostParts;
  #machine!: Machine;
  #exits!: ExitList;
  #events: InputEvent[] = [];
  #heat!: HeatCounter;
  #feed: ScreenFeed | undefined;
  #slicing = false;
  #began = 0;
  #turned = 0;
  #told = 0;
  #pace = { wall: 0, clock: 0 };

  constructor(given: Given, host: HostParts) {
    this.given = given;
    this.#host = host;
    this.output = new ConsoleOut(host.post);
    this.#make();
    this.session = new DebugSession(this.#machine, {
      run: { onTick: () => this.#tick() },
      symbols: () => this.#names(),
      dryRun: (cpu, memory) => dryRun(cpu, memory, host.engine),
      restart: () => {
        this.#machine[Symbol.dispose]();
        this.#make();
        return this.#machine;
      },
      history: {},
      ...(given.spec.syntax && { syntax: given.spec.syntax }),
    });
    this.target = slicedTarget(this.session, this);
    this.debug = new Debugger(this.target, this.#names(), {
      log: (text) => host.post({ log: text }),
    });
    this.debug.syntax = given.spec.syntax ?? 'intel';
  }

  #names(): SymbolTable {
    const { symbols, image } = this.given;
    return new SymbolTable(
      symbols ?? image,
      kernelNames(() => this.#machine.memory),
    );
  }

  get machine(): Machine {
    return this.#machine;
  }

  get exits(): ExitList {
    return this.#exits;
  }

  get heat(): HeatCounter {
    return this.#heat;
  }

  /** The inputs from outside so far. */
  get events(): readonly InputEvent[] {
    return this.#events;
  }

  get made(): MadeInWorker {
    const { boot, devices, memory } = this.#machine;
    return {
      mode: boot.mode,
      entry: boot.entry,
      devices: devices.map(({ name }) => name),
      hasScreen: this.#feed !== undefined,
      memory: memory.regions.reduce((sum, { size }) => sum + size, 0),
      noHistory: this.session.noHistory(),
      notes: boot.notes,
    };
  }

  /** Milliseconds of the machine's time. */
  get time(): number {
    return this.#machine.clock.now() / MILLISECOND;
  }

  get instructions(): number {
    return this.#machine.cycleTime?.instructions ?? 0;
  }

  // Slices

  run(part: () => Stop): Stop {
    this.#slicing = true;
    this.#began = performance.now();
    try {
      return part();
    } finally {
      this.#slicing = false;
      // The last tick may have requested an end after the run had ended already: that must not stop another run.
      Atomics.store(this.#host.words, Control.request, 0);
      this.output.flush();
      this.#feed?.look(this.time);
      this.#progress(true);
    }
  }

  async turn(): Promise<void> {
    if (this.output.crowded) await this.output.drained();
    const ahead = this.#ahead();
    await (ahead > AHEAD_MS ? new Promise((resolve) => setTimeout(resolve, ahead)) : macrotask());
    this.#turned = performance.now();
  }

  async turnIfDue(): Promise<void> {
    const now = performance.now();
    if (now - this.#turned < SLICE_MS) return;
    // Between two runs time was stopped.
    if (now - this.#turned > MAX_LAG_MS) this.#pace = { wall: now, clock: this.time };
    this.#turned = now;
    await macrotask();
  }

  wanted(): boolean {
    return Atomics.exchange(this.#host.words, PAUSE_WORD, 0) !== 0;
  }

  wake(): void {
    this.output.wake();
  }

  position(): number {
    return this.#machine.cycleTime?.cycles ?? 0;
  }

  /** The guest is stopped: its current state is shown. */
  settle(): void {
    this.output.flush();
    this.#feed?.look();
    this.#progress(false);
  }

  shown(): void {
    this.#feed?.shown();
  }

  [Symbol.dispose](): void {
    this.#machine[Symbol.dispose]();
  }

  #make(): void {
    const { given } = this;
    const { engine, words } = this.#host;
    const { inputs } = given;
    this.#events = [];
    this.#machine = makePc(given.spec, {
      engine,
      image: given.image,
      control: words,
      output: this.output.write,
      input: this.input,
      keys: {
        source: this.keys,
        mouse: this.moves,
        onMouse: (reports) => this.#host.post({ mouse: reports }),
      },
      devices: given.devices(),
      screenIsSeen: true,
      ...(given.drives.length > 0 && { drives: openDrives(given.drives)! }),
      ...(given.initrd && { beside: { initrds: [{ text: 'initrd', bytes: given.initrd }] } }),
      hypercalls: { log: (text: string) => this.#host.post({ log: text }) },
      inputs: {
        listener: (event) => this.#events.push(event),
        ...(inputs.length > 0 && {
          replay: { version: 1, events: inputs as unknown as InputEvent[], until: inputs.at(-1)!.at },
        }),
      },
      observe: (names) => {
        this.#exits = new ExitList(names, () => this.#machine.exits);
        return this.#exits;
      },
    });
    if (given.state) this.#machine.load(given.state);
    this.#heat = new HeatCounter(this.#machine);
    this.#heat.start();
    const screen = this.#machine.openScreen();
    this.#feed = screen && new ScreenFeed(screen, this.#host.post);
    this.#pace = { wall: performance.now(), clock: this.time };
  }

  /** Called every few milliseconds while the guest runs, and whenever it sleeps. */
  #tick(): void {
    if (!this.#slicing) return;
    if (this.instructions >= this.until) Atomics.store(this.#host.words, PAUSE_WORD, 1);
    const due = performance.now() - this.#began >= SLICE_MS;
    const ahead = this.#ahead() > AHEAD_MS;
    const wants = Atomics.load(this.#host.words, PAUSE_WORD) !== 0;
    if (due || wants || ahead || this.output.full) Atomics.store(this.#host.words, Control.request, 1);
  }

  /** By how many milliseconds the guest's time is ahead of the host's. */
  #ahead(): number {
    if (!this.realTime || this.#machine.quiet || this.until !== Number.POSITIVE_INFINITY) return 0;
    const now = performance.now();
    const ahead = this.time - this.#pace.clock - (now - this.#pace.wall);
    if (ahead < -MAX_LAG_MS) this.#pace = { wall: now, clock: this.time };
    return ahead;
  }

  #progress(running: boolean): void {
    const now = performance.now();
    if (running && now - this.#told < PROGRESS_MS) return;
    this.#told = now;
    const { instructions, time } = this;
    this.#host.post({ progress: { running, instructions, time, exits: this.#machine.exits } });
  }
}

/** How a guest has ended; undefined for one that a debugger holds. */
export function endOf(outcome: Outcome | undefined): GuestEnd | undefined {
  if (outcome === undefined) return undefined;
  const { kind, reason, code, exits } = outcome;
  return { kind, reason, exits, ...(code !== undefined && { code }) };
}

/** Messages are read before this resolves. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** Loads modules that make devices. @throws ConfigError for one of another origin, or that makes none */
export async function importDevices(
  urls: readonly string[],
  page: string,
  options?: unknown,
): Promise<() => Device[]> {
  const makers = await Promise.all(
    urls.map(async (url) => {
      if (new URL(url, page).origin !== new URL(page).origin)
        throw new ConfigError(
          `the device module ${url} is not from this page's own server`,
          'devices come from the same place as the page',
        );
      const { default: make } = (await import(url)) as { default?: unknown };
      if (typeof make === 'function') return make as (options?: unknown) => Device;
      throw new ConfigError(
        `the device module ${url} has no function as its default export`,
        'export default () => ({ name, ports, readPort, writePort })',
      );
    }),
  );
  return () => makers.map((make) => make(options));
}
