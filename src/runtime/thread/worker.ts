/**
 * The thread of a hosted machine: makes it, runs it and reports. While a guest runs, this thread reads no messages;
 * it is stopped through the control block.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { MachineSpec } from '../../config/index.js';
import { type DebugMethod, DebugSession, debugMethods, runningMethods } from '../../debug/index.js';
import { Control } from '../../engine/contract/index.js';
import { closeKvm } from '../../engine/kvm/index.js';
import { ConfigError } from '../../errors.js';
import { kernelNames } from '../../inspect/index.js';
import type { Machine, Outcome, RunOptions, Share } from '../../machine/index.js';
import { SymbolTable } from '../../symbols/index.js';
import { chooseEngine, dryRunNext } from '../engines/engines.js';
import { Life } from './life.js';
import { Poller } from './polling.js';
import { packError } from './portable-error.js';
import type { Channels, FromWorker, HostedParts, ToWorker } from './protocol.js';
import { SharedRing } from './shared-ring.js';
import { importUserParts } from './user-modules.js';
import { wantsWatcher, watchMachine } from './watcher.js';

const port = parentPort;
if (port === null) throw new Error('this module runs only inside a Worker; use hostMachine() instead');
const post = (message: FromWorker) => port.postMessage(message);

// This thread starts before its machine is known: open the engine in the meantime. `create` reports an error.
try {
  chooseEngine();
} catch {
  // neither engine is available
}
const { loaded } = workerData as { loaded: Int32Array };
Atomics.store(loaded, 0, 1);
Atomics.notify(loaded, 0);

let afterRun = () => {};

/** Registers a function to call after each run, before its outcome is sent: after that the process may end. */
export function setAfterRun(hook: () => void): void {
  afterRun = hook;
}

let life: Life | undefined;
let session: DebugSession | undefined;
let poller: Poller | undefined;

port.on('message', async (message: ToWorker) => {
  try {
    switch (message.type) {
      case 'create':
        await create(message.parts, message.channels);
        break;
      case 'run': {
        const { machine } = current();
        const before = current().counters();
        const { options, aborted } = message;
        const signal = aborted === undefined ? {} : { signal: AbortSignal.abort(aborted) };
        const outcome = runWithPauses(machine, { ...options, ...signal, onTick: count });
        afterRun();
        current().report(outcome, before);
        break;
      }
      case 'debug':
        post({ type: 'debugged', ...debug(message.method, message.args) });
        break;
      case 'endDebug':
        current().report(debugSession().outcome());
        break;
      case 'state': {
        post({ type: 'state', state: current().state() });
        break;
      }
      case 'screen': {
        post({ type: 'screen', picture: current().picture() });
        break;
      }
      case 'glance':
        post({ type: 'glance', glance: current().machine.glance });
        break;
      case 'save':
        post({ type: 'saved', ...current().save() });
        break;
      case 'record':
        post({ type: 'recorded', record: current().record() });
        break;
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
        // Ends only this thread, and with it timers of user modules.
        process.exit();
        break;
    }
  } catch (error) {
    post({ type: 'error', error: packError(error) });
  }
});

/** Runs the guest; in between its state is saved where another thread asks for it. */
function runWithPauses(machine: Machine, options: RunOptions): Outcome {
  const { control } = machine;
  const share: Share = { paused: false, wanted: () => Atomics.load(control, Control.pause) !== 0 };
  for (;;) {
    const outcome = machine.run({ ...options, share });
    if (!share.paused) return outcome;
    Atomics.store(control, Control.pause, 0);
    try {
      post({ type: 'savedRunning', saved: current().save() });
    } catch (error) {
      post({ type: 'savedRunning', error: packError(error) });
    }
  }
}

async function create(parts: HostedParts, channels: Channels): Promise<void> {
  dispose();
  const { control, progress, frames } = channels;
  life = new Life({
    ...parts,
    ...{ progress, frames, post },
    control: new Int32Array(control),
    ring: (name) => new SharedRing(channels[name]),
    ports: (index) => {
      const { output, input } = channels.ports[index]!;
      return { output: new SharedRing(output), input: new SharedRing(input) };
    },
    user: await importUserParts(parts.spec),
    watcher: wantsWatcher(parts.observe) ? watchMachine : undefined,
    threadName: parts.spec.name === undefined ? 'terrarium/vcpu0' : `vm:${parts.spec.name}`,
  });
  post({ type: 'created', ...life.made });
}

/** Ends the machine and makes it again from the same parts. */
function restart(): Machine {
  const before = current();
  before[Symbol.dispose]();
  life = undefined;
  life = before.again();
  return life.machine;
}

function debugSession(): DebugSession {
  if (session !== undefined) return session;
  const { machine, parts } = current();
  const { spec, observe, image } = parts;
  session = new DebugSession(machine, {
    run: { onTick: count },
    exits: () => current().exits(),
    dryRun: dryRunNext,
    symbols: () =>
      new SymbolTable(
        observe.symbols ?? image,
        kernelNames(() => current().machine.memory),
      ),
    ...(spec.syntax && { syntax: spec.syntax }),
    // Another thread reads the memory of a polled machine, and writes to a file cannot be undone.
    ...(spec.simvirtio !== 'polling' && { restart }),
    ...(canGoBack(spec) && { history: {} }),
  });
  return session;
}

/** False where the guest changes something outside of the machine's state. */
function canGoBack({ simvirtio, disks = [], floppies = [] }: MachineSpec): boolean {
  return simvirtio !== 'polling' && ![...disks, ...floppies].some(({ write }) => write);
}

/** Handles a request of a debugger on another thread. */
function debug(method: DebugMethod, args: readonly unknown[]) {
  if (!debugMethods.includes(method)) throw new ConfigError(`a debugger cannot ask for '${method}'`);
  const held = debugSession();
  const before = life;
  const result = (held[method] as (...args: readonly unknown[]) => unknown).apply(held, [...args]);
  const after = current();
  return {
    result,
    ...(runningMethods.has(method) && { regions: after.machine.memory.regions }),
    ...(after !== before && { made: after.made }),
  };
}

function count(exits: number, coalesced: number): void {
  life?.tick(exits, coalesced);
}

function current(): Life {
  if (life === undefined) throw new ConfigError('this thread has no machine');
  return life;
}

function dispose(): void {
  life?.[Symbol.dispose]();
  life = undefined;
  session = undefined;
  poller = undefined;
}
