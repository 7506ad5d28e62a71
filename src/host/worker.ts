/**
 * The thread of a hosted machine: makes it, runs it and reports. While a guest runs, this thread reads no messages;
 * it is stopped through the control block.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Image } from '../boot/index.js';
import { type DebugMethod, DebugSession, debugMethods, runningMethods } from '../debug/index.js';
import type { Device } from '../devices/contract.js';
import {
  type HypercallOptions,
  SimvirtioByExits,
  STANDARD_BACKENDS,
  simvirtioRegions,
  standardBackends,
  standardDevices,
  Vga,
} from '../devices/index.js';
import { Control } from '../engine/contract.js';
import { closeKvm, setThreadName } from '../engine/kvm/index.js';
import { ConfigError } from '../errors.js';
import { DEFAULT_MEMORY, type ExitObserver, Machine, type Outcome } from '../machine/index.js';
import type { MemoryRegion } from '../memory/index.js';
import {
  counterGroups,
  counterRows,
  ExitLog,
  formatTraceLine,
  type Locate,
  Statistics,
  SymbolTable,
  traceHeader,
} from '../observe/index.js';
import { board, DEFAULT_IRQCHIP, giveWay } from './board.js';
import { chooseEngine } from './engines.js';
import { servicesOf, startOfTime } from './hypercall-host.js';
import { importModule } from './import-module.js';
import { keySource } from './keys.js';
import { Poller } from './polling.js';
import {
  type Channels,
  type DeviceModule,
  type FromWorker,
  type PortableConfig,
  packError,
  type ToWorker,
} from './protocol.js';
import { copyPicture, ExitMoments, type Frame, FrameFeed, TimedMoments, together } from './screen-feed.js';
import { SharedRing } from './shared-ring.js';
import { Signs } from './signs.js';
import { Tracer } from './tracer.js';
import { Wake } from './wake.js';

const port = parentPort;
if (port === null) throw new Error('this module is the inside of a Worker; use hostMachine() instead');
const post = (message: FromWorker) => port.postMessage(message);

// This thread starts before its machine is known: open the engine in the meantime. What fails now is said by `create`.
try {
  chooseEngine();
} catch {
  // neither engine is here
}
const { loaded } = workerData as { loaded: Int32Array };
Atomics.store(loaded, 0, 1);
Atomics.notify(loaded, 0);

let machine: Machine | undefined;
let statistics: Statistics | undefined;
let progress: Float64Array | undefined;
let simvirtio: SimvirtioByExits | undefined;
let poller: Poller | undefined;
let wake: Wake | undefined;
let signs: Signs | undefined;
let feed: FrameFeed | undefined;
let session: DebugSession | undefined;
let exits: (() => string) | undefined;
let locate: Locate | undefined;

port.on('message', async (message: ToWorker) => {
  try {
    switch (message.type) {
      case 'create':
        await create(message.config, message.channels);
        break;
      case 'run': {
        const before = statistics && counterGroups(current().counters());
        report(current().run({ ...message.options, onTick: count }), before);
        break;
      }
      case 'debug':
        post({ type: 'debugged', ...debug(message.method, message.args) });
        break;
      case 'endDebug':
        report(debugSession().outcome());
        break;
      case 'state': {
        const { cpu } = current();
        post({ type: 'state', state: { registers: cpu.getRegisters(), system: cpu.getSystemRegisters() } });
        break;
      }
      case 'screen': {
        const picture = current().screen;
        post({ type: 'screen', picture: picture && copyPicture(picture) });
        break;
      }
      case 'createPoller':
        poller = new Poller(message.channels, () => post({ type: 'output' }));
        post({ type: 'pollerCreated' });
        break;
      case 'poll':
        if (poller === undefined) throw new ConfigError('this thread has nothing to poll');
        post({ type: 'polled', report: poller.run() });
        break;
      case 'dispose':
        dispose();
        post({ type: 'disposed' });
        break;
      case 'end':
        dispose();
        // A thread that ends leaves its files open: they are the process's.
        closeKvm();
        port.close();
        break;
    }
  } catch (error) {
    post({ type: 'error', error: packError(error) });
  }
});

async function create(config: PortableConfig, channels: Channels): Promise<void> {
  dispose();
  const control = new Int32Array(channels.control);
  const stopping = () => Atomics.load(control, Control.request) !== 0;
  const output = new SharedRing(channels.output);
  const input = new SharedRing(channels.input);
  const message: FromWorker = { type: 'output' };
  wake = new Wake(() => post(message));
  const notify = wake.notify.bind(wake);
  const source = {
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
  const own = await Promise.all((config.devices ?? []).map(importDevice));
  const calls = await importCalls(config.hypercalls);
  const print = (bytes: Uint8Array) => output.write(bytes, notify, stopping);
  // By polling, another thread does all the work in this machine's memory.
  if (config.simvirtio === 'exits') simvirtio = new SimvirtioByExits({ backends: standardBackends(print) });
  const { engine, because } = chooseEngine(config.engine, {
    ...(config.mode !== undefined && { mode: config.mode }),
    ...(config.clock !== undefined && { clock: config.clock }),
    ...(config.assist !== undefined && { assist: config.assist }),
  });
  const shown = new Signs();
  signs = shown;
  const parts = board({
    irqchip: config.irqchip ?? DEFAULT_IRQCHIP,
    memory: config.memory ?? DEFAULT_MEMORY,
    startMs: startOfTime(engine.name, config.clock),
    keys: { source: keySource(new SharedRing(channels.keys)), onLeds: (leds) => shown.setLeds(leds) },
    onTone: (tone) => shown.setTone(tone),
  });
  const usual = [
    ...standardDevices({
      output: print,
      input: source,
      hypercalls: { ...servicesOf(current, config.seed), ...calls, log: logInto(channels.log, stopping) },
    }),
    ...(simvirtio === undefined ? [] : [simvirtio]),
    ...parts.devices,
    ...(config.vga ? [new Vga()] : []),
  ];
  const { captureAt = [] } = config;
  const timed = new TimedMoments(captureAt, capture);
  const moments = new ExitMoments(captureAt, capture);
  const devices = [...giveWay(usual, own), ...own, ...(timed.any ? [timed] : [])];
  const log = observe(
    config,
    devices.map((device) => device.name),
    new SharedRing(channels.trace),
    stopping,
  );
  const observer = together([...(log ? [log] : []), ...(moments.any ? [moments] : [])]);
  machine = new Machine({
    ...config,
    engine,
    devices,
    irqchip: parts.irqchip,
    ...(config.simvirtio && {
      regions: [...(config.regions ?? []), ...simvirtioRegions(config.simvirtio, STANDARD_BACKENDS)],
    }),
    control,
    ...(observer && { observer }),
  });
  progress = new Float64Array(channels.progress);
  if (config.frames) feed = frameFeed(machine, channels.frames);
  if (machine.engine.name === 'kvm')
    setThreadName(config.name === undefined ? 'terrarium/vcpu0' : `vm:${config.name}`);
  const { memory, boot } = machine;
  const { mode, format, entry, stack } = boot;
  post({
    type: 'created',
    memory: memory.wasm,
    regions: memory.regions,
    boot: { mode, format, entry, stack },
    engine: engine.name,
    ...(because !== undefined && { because }),
  });
}

type CounterGroups = ReturnType<typeof counterGroups>;

/** @param before the engine's counters when the run began */
function report(outcome: Outcome, before?: CounterGroups): void {
  post({
    type: 'outcome',
    outcome,
    regions: current().memory.regions,
    ...(statistics && {
      statistics: statistics.toJSON(),
      counters: counterRows(counterGroups(current().counters()), before),
    }),
    ...(simvirtio && { simvirtio: simvirtio.counts }),
  });
}

function debugSession(): DebugSession {
  session ??= new DebugSession(current(), {
    run: { onTick: count },
    ...(exits && { exits }),
    ...(locate && { locate }),
  });
  return session;
}

/** Does what a debugger on another thread asks. */
function debug(
  method: DebugMethod,
  args: readonly unknown[],
): { result: unknown; regions?: readonly MemoryRegion[] } {
  if (!debugMethods.includes(method)) throw new ConfigError(`a debugger cannot ask for '${method}'`);
  const held = debugSession();
  const result = (held[method] as (...args: readonly unknown[]) => unknown).apply(held, [...args]);
  return { result, ...(runningMethods.has(method) && { regions: current().memory.regions }) };
}

/** Lets the other threads see how far the run has come, and what it printed. */
function count(exits: number, coalesced: number): void {
  wake?.tick();
  signs?.post(post);
  feed?.tick();
  if (progress === undefined) return;
  progress[0] = exits;
  progress[1] = coalesced;
}

/** A moment that was asked for has come. */
function capture(index: number): void {
  const picture = machine?.screen;
  if (picture !== undefined) post({ type: 'captured', picture: copyPicture(picture), index });
}

function frameFeed(shown: Machine, busy: SharedArrayBuffer): FrameFeed | undefined {
  const screen = shown.openScreen();
  if (screen === undefined) return undefined;
  const send = (frame: Frame) => post({ type: 'frame', frame });
  return new FrameFeed(screen, () => shown.now(), new Int32Array(busy), send);
}

/** When this much input is left, more is asked for. */
const INPUT_LOW = 32 * 1024;

/** The exit log with its readers, where somebody wants to look. */
function observe(
  config: PortableConfig,
  names: string[],
  trace: SharedRing,
  stopping: () => boolean,
): ExitObserver | undefined {
  const { trace: wanted } = config;
  if (!wanted && !config.statistics && !config.debug) return undefined;
  const log = new ExitLog();
  if (config.debug) {
    exits = () => lastExits(log, names);
    locate = locator(config.symbols ?? config.image);
  }
  if (config.statistics) {
    statistics = new Statistics(names);
    log.subscribe(statistics.reader);
  }
  if (!wanted) return log;
  const wake: FromWorker = { type: 'trace' };
  const notify = () => post(wake);
  return new Tracer({
    log,
    names,
    options: wanted,
    machine: () => machine,
    write: (bytes) => trace.write(bytes, notify, stopping),
  });
}

/** Names for addresses; what they follow from is read when the first is asked for. */
function locator(image: Image): Locate {
  let table: SymbolTable | undefined;
  return (address) => {
    table ??= new SymbolTable(image);
    return table.locate(address);
  };
}

/** Exits that a debugger shows. */
const LAST_EXITS = 24;

function lastExits(log: ExitLog, names: readonly string[]): string {
  const lines = [traceHeader().trimEnd()];
  for (let i = Math.max(0, log.total - LAST_EXITS); i < log.total; i++)
    lines.push(formatTraceLine(log, i, names).trimEnd());
  return lines.join('\n');
}

async function importDevice({ module, options }: DeviceModule): Promise<Device> {
  const make = await importMaker(module, 'device', '(options) => ({ name, ports, readPort, writePort })');
  return make(options) as Device;
}

async function importCalls(asked: DeviceModule | undefined): Promise<Pick<HypercallOptions, 'calls'>> {
  if (asked === undefined) return {};
  const shape = '(options) => ({ 64: { name, handle(request, memory) { … } } })';
  const make = await importMaker(asked.module, 'hypercall', shape);
  return { calls: make(asked.options) as NonNullable<HypercallOptions['calls']> };
}

/** The default export of a module that a user wrote: a function of the `shape` that the hint shows. */
async function importMaker(
  module: string,
  what: string,
  shape: string,
): Promise<(options: unknown) => unknown> {
  let loaded: { default?: unknown };
  try {
    loaded = (await importModule(module)) as typeof loaded;
  } catch (cause) {
    throw new ConfigError(`the ${what} module ${module} could not be loaded: ${(cause as Error).message}`);
  }
  if (typeof loaded.default === 'function') return loaded.default as (options: unknown) => unknown;
  throw new ConfigError(
    `the ${what} module ${module} has no function as its default export`,
    `export default ${shape}`,
  );
}

/** What a guest logs goes line by line through a ring of its own, so that a guest that logs without end has to wait. */
function logInto(buffer: SharedArrayBuffer, stopping: () => boolean): (text: string) => void {
  const log = new SharedRing(buffer);
  const encoder = new TextEncoder();
  const wake: FromWorker = { type: 'log' };
  const notify = () => post(wake);
  return (text) => log.write(encoder.encode(`${text}\n`), notify, stopping);
}

function current(): Machine {
  if (machine === undefined) throw new ConfigError('this thread has no machine');
  return machine;
}

function dispose(): void {
  machine?.[Symbol.dispose]();
  machine = undefined;
  statistics = undefined;
  simvirtio = undefined;
  poller = undefined;
  feed = undefined;
  session = undefined;
  exits = undefined;
  locate = undefined;
}
