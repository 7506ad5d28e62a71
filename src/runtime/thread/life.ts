/**
 * One life of a hosted machine: the objects that are made for a start, and again for a restart.
 *
 * @module
 */
import type { Device, Picture } from '../../devices/contract/index.js';
import {
  AcpiPm,
  Drives,
  KeyboardController,
  type PortOptions,
  SimvirtioByExits,
  virtioViews,
} from '../../devices/index.js';
import { Control, type EngineCounters } from '../../engine/contract/index.js';
import { setThreadName } from '../../engine/kvm/index.js';
import { ConfigError } from '../../errors.js';
import { findTranslations, translationsOf } from '../../inspect/index.js';
import {
  AnswerRecorder,
  type ExitObserver,
  type InputEvent,
  type InputRecord,
  type Machine,
  type Outcome,
} from '../../machine/index.js';
import { makePc } from '../../pc/index.js';
import { MILLISECOND } from '../../time/index.js';
import type { CpuRegisters } from '../../x86/index.js';
import { openDrives } from '../disks/open-drives.js';
import { openFirmware } from '../disks/open-firmware.js';
import { openFwCfg } from '../disks/open-fw-cfg.js';
import { chooseEngine } from '../engines/engines.js';
import { openBeside } from '../images/beside.js';
import { openNetworks, unplugged } from '../network/network-host.js';
import { answersObservers } from './answers.js';
import { incomingSource } from './incoming.js';
import { buttonSource, keySource, mouseSource } from './keys.js';
import type { FromWorker, HostedParts, MadeMachine, SavedMachine, StreamName } from './protocol.js';
import { copyPicture, ExitMoments, type Frame, FrameFeed, TimedMoments, together } from './screen-feed.js';
import type { SharedRing } from './shared-ring.js';
import { Signs } from './signs.js';
import { Typist } from './typing.js';
import type { UserParts } from './user-modules.js';
import { Wake } from './wake.js';
import type { Watched, Watcher } from './watcher.js';

/** The parts that all lives of a machine share. */
export interface LifeParts extends HostedParts {
  control: Int32Array;
  /** See `Channels`. */
  progress: SharedArrayBuffer;
  frames: SharedArrayBuffer;
  /** The ring of a stream, on this side of it. */
  ring(stream: StreamName): SharedRing;
  /** Those of a console's port. */
  ports(index: number): { readonly output: SharedRing; readonly input: SharedRing };
  user: UserParts;
  /** The watcher of the exits; undefined where none is requested. */
  watcher: Watcher | undefined;
  /** The thread's name while it runs a guest in the host's kernel, where it is the machine's own thread. */
  threadName: string | undefined;
  post(message: FromWorker): void;
}

/** See the module's comment. Belongs to the machine's thread. */
export class Life implements Disposable {
  readonly parts: LifeParts;
  readonly machine: Machine;
  /** The description of the machine for other threads. */
  readonly made: MadeMachine;
  readonly #stopping: () => boolean;
  readonly #wake: Wake;
  readonly #signs: Signs;
  readonly #progress: Float64Array;
  #names: readonly string[] = [];
  /** The inputs since this life began. */
  readonly #events: InputEvent[] = [];
  readonly #answers: AnswerRecorder | undefined;
  #inputWanted = false;
  #watched: Watched | undefined;
  #feed: FrameFeed | undefined;

  /** @param before the previous life, which has been disposed */
  constructor(parts: LifeParts, before?: Life) {
    this.parts = parts;
    const { spec, image, observe, control, user, post } = parts;
    if (observe.record) this.#answers = new AnswerRecorder();
    this.#stopping = () => Atomics.load(control, Control.request) !== 0;
    this.#wake = new Wake(() => post({ type: 'output' }));
    this.#progress = new Float64Array(parts.progress);
    // The following closures live as long as this life: they must not reference the previous one, or none is ever collected.
    const follows = before && { origin: before.#watched?.originMs };
    // Turn off lights that an earlier life left on.
    this.#signs = new Signs(follows !== undefined);
    const { engine, because } = chooseEngine(spec.engine, {
      ...spec,
      ...(image.kind && { kind: image.kind }),
    });
    const { captureAt = [] } = observe;
    const typist = new Typist(observe.typing ?? [], (text) => this.#type(text));
    const wanted = [...captureAt, ...typist.moments];
    const come = (index: number) =>
      index < captureAt.length ? this.#capture(index) : typist.typeNow(index - captureAt.length);
    const timed = new TimedMoments(wanted, come);
    const moments = new ExitMoments(wanted, come);
    const beside = openBeside(spec, image);
    const firmware = openFirmware(spec);
    const fwCfg = openFwCfg(spec);
    const drives = openDrives(spec);
    // The frames of a recorded run have been sent already, and its received frames are in the record.
    const networks = observe.replay === undefined ? openNetworks(spec) : unplugged(spec);
    try {
      this.machine = makePc(spec, {
        engine,
        image,
        control,
        output: this.#output(typist),
        input: this.#input(),
        ports: this.#ports(),
        keys: {
          source: keySource(parts.ring('keys'), () => this.#wantInput()),
          onLeds: (leds) => this.#signs.setLeds(leds),
          mouse: mouseSource(parts.ring('mouse')),
          onMouse: (reports) => this.#signs.setMouse(reports),
        },
        button: buttonSource(parts.ring('button')),
        onTone: (tone) => this.#signs.setTone(tone),
        hypercalls: { ...user.hypercalls(), log: this.#logInto() },
        devices: [...user.devices(), ...(timed.any ? [timed] : []), ...(typist.any ? [typist] : [])],
        ...(drives && { drives }),
        ...(networks && { networks }),
        ...(beside && { beside }),
        ...(firmware && { firmware }),
        ...(fwCfg && { fwCfg }),
        screenIsSeen: observe.frames === true,
        simvirtioElsewhere: spec.simvirtio === 'polling',
        inputs: {
          ...(observe.replay && { replay: observe.replay }),
          ...(observe.record && { listener: (event: InputEvent) => this.#events.push(event) }),
        },
        observe: (names) => {
          this.#names = names;
          const log = this.#observe(follows);
          const answers = answersObservers(observe, this.#answers, names);
          return together([...(log ? [log] : []), ...(moments.any ? [moments] : []), ...answers]);
        },
      });
    } catch (error) {
      drives?.dispose();
      for (const network of networks ?? []) network.dispose?.();
      throw error;
    }
    try {
      if (observe.from) this.machine.load(observe.from);
      this.#watched?.begin();
    } catch (error) {
      this.machine[Symbol.dispose]();
      throw error;
    }
    if (observe.frames) this.#feed = this.#frameFeed();
    if (engine.capabilities.hostKernel && parts.threadName !== undefined) setThreadName(parts.threadName);
    const { memory, boot } = this.machine;
    const { mode, format, entry, stack, segments, notes } = boot;
    this.made = {
      memory: memory.wasm,
      regions: memory.regions,
      boot: { mode, format, entry, stack, segments, notes },
      engine: engine.name,
      hostKernel: engine.capabilities.hostKernel,
      hasPowerButton: this.#named('acpi-pm').some((device) => device instanceof AcpiPm),
      ...(because !== undefined && { because }),
    };
  }

  /** The devices whose names begin so. Only about these are their classes asked, whose code is loaded where it is first used. */
  #named(name: string): Device[] {
    return this.machine.devices.filter((device) => device.name.startsWith(name));
  }

  /** The next life, made from the same parts; this one has been disposed. */
  again(): Life {
    return new Life(this.parts, this);
  }

  /** The engine's counters at the start of a run, where they are shown. */
  counters(): EngineCounters | undefined {
    return this.#watched?.counts ? this.machine.counters() : undefined;
  }

  /** @param before the engine's counters when the run began */
  report(outcome: Outcome, before?: EngineCounters): void {
    const profile = this.#watched?.profile();
    const { cpu, memory } = this.machine;
    const asked = this.parts.observe.translations;
    const translations = asked && findTranslations(translationsOf(cpu, memory), asked);
    const simvirtio = this.#named('simvirtio').find((device) => device instanceof SimvirtioByExits);
    const disks = this.#named('disks').find((device) => device instanceof Drives)?.lost ?? [];
    const rings = this.#named('virtio');
    const virtio = rings.length === 0 ? [] : virtioViews(rings);
    this.parts.post({
      type: 'outcome',
      outcome,
      regions: this.machine.memory.regions,
      ...(this.#watched?.counts && this.#watched.counted(this.machine.counters(), before)),
      ...(profile && { profile }),
      ...(translations && { translations }),
      ...(simvirtio && { simvirtio: simvirtio.counts }),
      ...(virtio.length > 0 && { virtio }),
      ...(disks.length > 0 && { written: disks }),
    });
  }

  /** Registers, while the machine is stopped. */
  state(): CpuRegisters {
    const { cpu } = this.machine;
    return { registers: cpu.getRegisters(), system: cpu.getSystemRegisters() };
  }

  /** The inputs from outside so far, while the machine is stopped. */
  record(): InputRecord {
    if (!this.parts.observe.record)
      throw new ConfigError('the machine does not record its inputs', 'make it with record: true');
    const before = this.parts.observe.from?.inputs.taken;
    const until = this.machine.inputs.position;
    const answers = this.#answers?.record;
    return {
      version: 1,
      events: this.#events,
      until,
      ...(before && { before }),
      ...(answers && { answers }),
    };
  }

  /** The whole state, while the machine is stopped, and how many instructions its CPU has run. */
  save(): SavedMachine {
    return { state: this.machine.save(), instructions: this.machine.cycleTime?.instructions };
  }

  /** The guest's picture, while the machine is stopped; undefined where there is no display. */
  picture(): Picture | undefined {
    const picture = this.machine.screen;
    return picture && copyPicture(picture);
  }

  /** Publishes the progress of the run and its output to the other threads. */
  tick(exits: number, coalesced: number): void {
    this.#wake.tick();
    this.#signs.post(this.parts.post);
    this.#feed?.tick();
    this.#progress[0] = exits;
    this.#progress[1] = coalesced;
  }

  /** The last exits, a line each, where the machine keeps a log of them. */
  exits(): string | undefined {
    return this.#watched?.exits();
  }

  [Symbol.dispose](): void {
    this.machine[Symbol.dispose]();
  }

  #output(typist: Typist) {
    const ring = this.parts.ring('output');
    const notify = this.#wake.notify.bind(this.#wake);
    const write = (bytes: Uint8Array) => ring.write(bytes, notify, this.#stopping);
    if (!typist.any) return write;
    return (bytes: Uint8Array) => {
      typist.printed(bytes);
      return write(bytes);
    };
  }

  #type(text: string): void {
    const keyboard = this.machine.devices.find((device) => device instanceof KeyboardController);
    keyboard?.type(text);
  }

  #input() {
    const { post, ring } = this.parts;
    return incomingSource(
      ring('input'),
      () => post({ type: 'inputTaken' }),
      () => this.#wantInput(),
    );
  }

  #ports(): PortOptions[] {
    const { observe, ports, post } = this.parts;
    return (observe.ports ?? []).map((name, index) => {
      const { output, input } = ports(index);
      const notify = () => post({ type: 'portOutput', index });
      return {
        name,
        output: (bytes) => output.write(bytes, notify, this.#stopping),
        input: incomingSource(input, () => post({ type: 'portTaken', index })),
      };
    });
  }

  /** The guest looks for input: now its source must be opened. */
  #wantInput(): void {
    // Devices check for input once while the machine is made; nothing waits for an answer then.
    if (this.#inputWanted || this.made === undefined) return;
    this.#inputWanted = true;
    this.parts.post({ type: 'inputWanted' });
  }

  /** Log lines of a guest go through their own ring, so that a guest that logs endlessly must wait. */
  #logInto(): (text: string) => void {
    const log = this.parts.ring('log');
    const encoder = new TextEncoder();
    const notify = () => this.parts.post({ type: 'log' });
    return (text) => log.write(encoder.encode(`${text}\n`), notify, this.#stopping);
  }

  /** The watcher of the exits, if requested. A trace continues where an earlier life ended. */
  #observe(continues: { origin: number | undefined } | undefined): ExitObserver | undefined {
    const { observe, spec, image, watcher, post } = this.parts;
    if (watcher === undefined) return undefined;
    const ring = this.parts.ring('trace');
    const notify = () => post({ type: 'trace' });
    this.#watched = watcher({
      syntax: spec.syntax,
      observe,
      continues,
      names: this.#names,
      cpus: spec.cpus ?? 1,
      machine: () => this.machine,
      image,
      write: (bytes) => ring.write(bytes, notify, this.#stopping),
    });
    return this.#watched.observer;
  }

  /** A requested moment has come. */
  #capture(index: number): void {
    const picture = this.picture();
    if (picture !== undefined) this.parts.post({ type: 'captured', picture, index });
  }

  #frameFeed(): FrameFeed | undefined {
    const { machine } = this;
    const screen = machine.openScreen();
    if (screen === undefined) return undefined;
    const { frames, post } = this.parts;
    const send = (frame: Frame) => post({ type: 'frame', frame });
    return new FrameFeed(screen, () => machine.clock.now() / MILLISECOND, new Int32Array(frames), send);
  }
}
