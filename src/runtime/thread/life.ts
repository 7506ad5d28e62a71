/**
 * One life of a hosted machine: what is made for a start, and made anew for a restart.
 *
 * @module
 */
import { SimvirtioByExits } from '../../devices/index.js';
import { Control } from '../../engine/contract/index.js';
import { setThreadName } from '../../engine/kvm/index.js';
import type { ExitObserver, Machine, Outcome } from '../../machine/index.js';
import { makePc } from '../../pc/index.js';
import { MILLISECOND } from '../../time/index.js';
import {
  counterGroups,
  counterRows,
  ExitLog,
  formatTraceLine,
  Statistics,
  traceHeader,
} from '../../trace/index.js';
import { openDrives } from '../disks/open-drives.js';
import { chooseEngine } from '../engines/engines.js';
import { openBeside } from '../images/beside.js';
import { keySource } from './keys.js';
import type { Channels, FromWorker, HostedParts, MadeMachine } from './protocol.js';
import { copyPicture, ExitMoments, type Frame, FrameFeed, TimedMoments, together } from './screen-feed.js';
import { SharedRing } from './shared-ring.js';
import { Signs } from './signs.js';
import { Tracer } from './tracer.js';
import type { UserParts } from './user-modules.js';
import { Wake } from './wake.js';

/** What every life of a machine is made from. */
export interface LifeParts extends HostedParts {
  channels: Channels;
  user: UserParts;
  post(message: FromWorker): void;
}

/** When this much input is left, more is asked for. */
const INPUT_LOW = 32 * 1024;
/** Exits that a debugger shows. */
const LAST_EXITS = 24;

export type CounterGroups = ReturnType<typeof counterGroups>;

/** See the module's comment. Belongs to the machine's thread. */
export class Life implements Disposable {
  readonly parts: LifeParts;
  readonly machine: Machine;
  /** What the other threads are told of the machine. */
  readonly made: MadeMachine;
  readonly #stopping: () => boolean;
  readonly #wake: Wake;
  readonly #signs: Signs;
  readonly #progress: Float64Array;
  #names: readonly string[] = [];
  #log: ExitLog | undefined;
  #statistics: Statistics | undefined;
  #feed: FrameFeed | undefined;

  /** @param before the life that this one follows, which has been disposed */
  constructor(parts: LifeParts, before?: Life) {
    this.parts = parts;
    const { spec, image, observe, channels, user, post } = parts;
    const control = new Int32Array(channels.control);
    this.#stopping = () => Atomics.load(control, Control.request) !== 0;
    this.#wake = new Wake(() => post({ type: 'output' }));
    this.#progress = new Float64Array(channels.progress);
    // What follows makes functions that live as long as this life: they must not hold the one before, or none is ever collected.
    const follows = before && { origin: before.#log?.originMs };
    // Lights that an earlier life left on go out.
    this.#signs = new Signs(follows !== undefined);
    const { engine, because } = chooseEngine(spec.engine, {
      ...spec,
      ...(image.kind && { kind: image.kind }),
    });
    const { captureAt = [] } = observe;
    const capture = (index: number) => this.#capture(index);
    const timed = new TimedMoments(captureAt, capture);
    const moments = new ExitMoments(captureAt, capture);
    const beside = openBeside(spec, image);
    const drives = openDrives(spec);
    try {
      this.machine = makePc(spec, {
        engine,
        image,
        control,
        output: this.#output(),
        input: this.#input(),
        keys: {
          source: keySource(new SharedRing(channels.keys)),
          onLeds: (leds) => this.#signs.setLeds(leds),
        },
        onTone: (tone) => this.#signs.setTone(tone),
        hypercalls: { ...user.hypercalls(), log: this.#logInto() },
        devices: [...user.devices(), ...(timed.any ? [timed] : [])],
        ...(drives && { drives }),
        ...(beside && { beside }),
        simvirtioElsewhere: spec.simvirtio === 'polling',
        observe: (names) => {
          this.#names = names;
          const log = this.#observe(follows);
          return together([...(log ? [log] : []), ...(moments.any ? [moments] : [])]);
        },
      });
    } catch (error) {
      drives?.dispose();
      throw error;
    }
    if (observe.frames) this.#feed = this.#frameFeed();
    if (engine.capabilities.hostKernel)
      setThreadName(spec.name === undefined ? 'terrarium/vcpu0' : `vm:${spec.name}`);
    const { memory, boot } = this.machine;
    const { mode, format, entry, stack, segments, notes } = boot;
    this.made = {
      memory: memory.wasm,
      regions: memory.regions,
      boot: { mode, format, entry, stack, segments, notes },
      engine: engine.name,
      hostKernel: engine.capabilities.hostKernel,
      ...(because !== undefined && { because }),
    };
  }

  /** The next life, made of the same parts; this one has been disposed. */
  again(): Life {
    return new Life(this.parts, this);
  }

  /** The engine's counters as they are when a run begins, where they are shown. */
  counters(): CounterGroups | undefined {
    return this.#statistics && counterGroups(this.machine.counters());
  }

  /** @param before the engine's counters when the run began */
  report(outcome: Outcome, before?: CounterGroups): void {
    const simvirtio = this.machine.devices.find((device) => device instanceof SimvirtioByExits);
    this.parts.post({
      type: 'outcome',
      outcome,
      regions: this.machine.memory.regions,
      ...(this.#statistics && {
        statistics: this.#statistics.toJSON(),
        counters: counterRows(counterGroups(this.machine.counters()), before),
      }),
      ...(simvirtio && { simvirtio: simvirtio.counts }),
    });
  }

  /** Lets the other threads see how far the run has come, and what it printed. */
  tick(exits: number, coalesced: number): void {
    this.#wake.tick();
    this.#signs.post(this.parts.post);
    this.#feed?.tick();
    this.#progress[0] = exits;
    this.#progress[1] = coalesced;
  }

  /** The last exits, a line each, where the machine keeps a log of them. */
  exits(): string | undefined {
    const log = this.#log;
    if (log === undefined) return undefined;
    const lines = [traceHeader().trimEnd()];
    for (let i = Math.max(0, log.total - LAST_EXITS); i < log.total; i++)
      lines.push(formatTraceLine(log, i, this.#names).trimEnd());
    return lines.join('\n');
  }

  [Symbol.dispose](): void {
    this.machine[Symbol.dispose]();
  }

  #output() {
    const ring = new SharedRing(this.parts.channels.output);
    const notify = this.#wake.notify.bind(this.#wake);
    return (bytes: Uint8Array) => ring.write(bytes, notify, this.#stopping);
  }

  #input() {
    const { channels, post } = this.parts;
    const input = new SharedRing(channels.input);
    return {
      get available() {
        return input.length > 0;
      },
      read() {
        const byte = input.readByte();
        // The other side holds its input back while the ring is full: tell it when half is free again.
        if (byte >= 0 && input.length === INPUT_LOW) post({ type: 'inputTaken' });
        return byte;
      },
    };
  }

  /** What a guest logs goes line by line through a ring of its own, so that a guest that logs without end has to wait. */
  #logInto(): (text: string) => void {
    const log = new SharedRing(this.parts.channels.log);
    const encoder = new TextEncoder();
    const notify = () => this.parts.post({ type: 'log' });
    return (text) => log.write(encoder.encode(`${text}\n`), notify, this.#stopping);
  }

  /** The exit log with its readers, where somebody wants to look. A trace goes on where an earlier life ended. */
  #observe(follows: { origin: number | undefined } | undefined): ExitObserver | undefined {
    const { observe, channels, post } = this.parts;
    const { trace: wanted } = observe;
    if (!wanted && !observe.statistics && !observe.debug) return undefined;
    const log = new ExitLog();
    this.#log = log;
    if (follows?.origin !== undefined) log.begin(follows.origin);
    if (observe.statistics) {
      this.#statistics = new Statistics(this.#names);
      log.subscribe(this.#statistics.reader);
    }
    if (!wanted) return log;
    const trace = new SharedRing(channels.trace);
    const notify = () => post({ type: 'trace' });
    return new Tracer({
      log,
      names: this.#names,
      options: wanted,
      continues: follows !== undefined,
      machine: () => this.machine,
      write: (bytes) => trace.write(bytes, notify, this.#stopping),
    });
  }

  /** A moment that was asked for has come. */
  #capture(index: number): void {
    const picture = this.machine.screen;
    if (picture !== undefined) this.parts.post({ type: 'captured', picture: copyPicture(picture), index });
  }

  #frameFeed(): FrameFeed | undefined {
    const { machine } = this;
    const screen = machine.openScreen();
    if (screen === undefined) return undefined;
    const { channels, post } = this.parts;
    const send = (frame: Frame) => post({ type: 'frame', frame });
    return new FrameFeed(
      screen,
      () => machine.clock.now() / MILLISECOND,
      new Int32Array(channels.frames),
      send,
    );
  }
}
