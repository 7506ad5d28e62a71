/**
 * The page's actions: builds, runs, steps, goes back, inspects. All communication with the Worker is here.
 *
 * @module
 */
import { batch } from '@preact/signals';
import {
  type CallName,
  type Halt,
  type MachineParts,
  type MouseMove,
  type Move,
  type TextFile,
  type WorkerCalls,
  WorkerMachine,
} from '../../browser/index.js';
import { notice } from './notices.js';
import { openPanel, shown } from './panels.js';
import { isAssembler } from './projects.js';
import { compileThere } from './server.js';
import * as state from './state.js';
import { haltText, words } from './words.js';

/** How many words of the stack, bytes of memory and instructions are read. */
const STACK_WORDS = 24;
const MEMORY_BYTES = 512;
const CODE = { before: 8, after: 24 };
export const COLUMNS = 512;
const LIST = 400;
/** While a guest runs, its registers are shown this often, in milliseconds. */
const LIVE_MS = 250;
const files = { worker: 'worker.js', program: 'soft.wasm' };

let machine: WorkerMachine | undefined;
/** A Worker of its own for sources and checks, so that they do not wait for a guest. */
let tools: WorkerMachine | undefined;
let lookedAt = 0;
let counted = 0;

/** The panes that show the guest's console and screen. */
export const outlets = {
  console: (_bytes: Uint8Array): void | Promise<void> => {},
  clear: () => {},
  screen: (_area: Parameters<WorkerMachine['onScreen']>[0]) => {},
};

export async function start(): Promise<void> {
  try {
    [machine, tools] = await Promise.all([begun(), WorkerMachine.start(files)]);
    state.status.value = 'ready';
  } catch (error) {
    const { code, message, hint = '' } = error as { code?: string; message: string; hint?: string };
    state.status.value = 'failed';
    state.failure.value =
      code === 'EISOLATION'
        ? { title: words.notIsolated, text: words.isolate }
        : { title: words.cannotStart, text: `${message}. ${hint}` };
  }
}

async function begun(): Promise<WorkerMachine> {
  const made = await WorkerMachine.start(files);
  made.onOutput = (bytes) => outlets.console(bytes);
  made.onScreen = (area) => {
    state.screenSize.value = { width: area.width, height: area.height };
    if (area.text !== undefined) state.screenText.value = area.text;
    const isSeen = Object.values(shown.value).includes('screen');
    if (!isSeen && state.instructionsRun()) state.screenIsNew.value = true;
    outlets.screen(area);
  };
  made.onMouse = (reports) => {
    if (state.guestMouse.value !== 'tablet') state.guestMouse.value = reports ? 'mouse' : 'none';
  };
  made.onLog = (line) => void outlets.console(new TextEncoder().encode(`\x1b[2m${line}\x1b[0m\r\n`));
  made.onProgress = (progress) => {
    state.progress.value = progress;
    const now = performance.now();
    if (!progress.running || now - lookedAt < LIVE_MS) return;
    lookedAt = now;
    void refresh(true);
  };
  made.onEnd = (error) => {
    state.status.value = 'ready';
    state.stale.value = true;
    notice(`${error.message}: the guest starts again`, true);
    void begun().then((other) => {
      machine = other;
    });
  };
  return made;
}

/** The Worker that answers about sources. */
export const helper = (): WorkerMachine | undefined => tools;

// Sources

/** Assembles the editor's source, for its errors. */
export async function lint(): Promise<void> {
  const [main] = state.files.value;
  if (tools === undefined || main === undefined) return;
  if (!isAssembler(main.name)) {
    state.complaints.value = [];
    return;
  }
  const asked = state.files.value;
  const result = await tools.ask('assemble', projectOf(state.files.value));
  if (state.files.value !== asked) return;
  batch(() => {
    state.complaints.value = 'complaints' in result ? result.complaints : [];
    state.built.value = 'complaints' in result ? undefined : result;
  });
}

function projectOf(files: readonly TextFile[]) {
  const headers = state.catalogue.value?.headers ?? [];
  const { mode = 'auto', load } = state.spec.value;
  const own = files.map(({ name, text }) => ({ name, content: text }));
  const shared = headers.filter(({ name }) => !own.some((file) => file.name === name));
  return {
    files: [...own, ...shared.map(({ name, text }) => ({ name, content: text }))],
    mode: mode as 'auto',
    ...(load !== undefined && { load }),
  };
}

/** The image from the sources; undefined where they have errors. */
export async function partsNow(files = state.files.value): Promise<MachineParts | undefined> {
  const [main] = files;
  const { image, title, lesson } = state.project.value;
  const { devices: _none, ...machineSpec } = state.spec.value;
  const extra = lesson?.device ? { devices: [new URL(lesson.device, location.href).href] } : {};
  const drives = state.drives.value.length > 0 ? { drives: state.drives.value } : {};
  const initrd = state.initrd.value ? { initrd: state.initrd.value } : {};
  const common = { spec: machineSpec, name: title, ...extra, ...drives, ...initrd };
  if (state.dropped.value !== undefined) return { ...common, image: state.dropped.value };
  if (main !== undefined && !isAssembler(main.name)) {
    const changed = main.text !== state.project.value.files[0]?.text || image === undefined;
    if (changed) {
      const made = await compileThere(files, state.spec.value.mode ?? 'auto');
      if (typeof made === 'string') {
        notice(made, true);
        return undefined;
      }
      return { ...common, image: made };
    }
    const response = await fetch(image);
    if (!response.ok) throw new Error(`${image}: ${response.status} ${response.statusText}`);
    return { ...common, image: new Uint8Array(await response.arrayBuffer()) };
  }
  if (tools === undefined) return undefined;
  const result = await tools.ask('assemble', projectOf(files));
  if ('complaints' in result) {
    batch(() => {
      state.complaints.value = result.complaints;
      state.built.value = undefined;
      openPanel('problems', true);
    });
    return undefined;
  }
  batch(() => {
    state.complaints.value = [];
    if (files === state.files.value) state.built.value = result;
  });
  return { ...common, image: result.image, symbols: result.symbols };
}

// Runs

/** The mouse of a new machine: a tablet is there from the start, a PS/2 mouse once the guest has switched its reports on. */
function takeMouse(devices: readonly string[]): void {
  const { guestMouse } = state;
  if (devices.some((name) => name.startsWith('virtio-tablet'))) guestMouse.value = 'tablet';
  else if (guestMouse.value === 'tablet') guestMouse.value = 'none';
}

/** Makes the machine again from the sources. False where that cannot be done. */
export async function reset(more: Partial<MachineParts> = {}): Promise<boolean> {
  if (machine === undefined) return false;
  if (state.status.value === 'running') await stop();
  return guarded(async () => {
    const parts = await partsNow();
    if (parts === undefined) return false;
    outlets.clear();
    state.guestMouse.value = 'none';
    const made = await machine!.ask('open', { ...parts, ...more });
    batch(() => {
      state.made.value = made;
      state.machines.value++;
      takeMouse(made.devices);
      state.stale.value = false;
      state.end.value = undefined;
      state.why.value = undefined;
      state.before.value = {};
      state.memoryBefore.value = undefined;
      state.exits.value = [];
      state.timeline.value = undefined;
      state.span.value = undefined;
      state.screenText.value = '';
      state.screenIsNew.value = false;
      state.halted.value = words.atStart;
      state.status.value = 'stopped';
    });
    await sendBreakpoints();
    await sendWatches();
    await refresh();
    const { input } = state.project.value;
    if (input !== undefined) machine!.send(new TextEncoder().encode(input));
    return true;
  });
}

/** Continues; from the beginning where the guest has ended or its source has changed. */
export async function run(): Promise<void> {
  if (state.status.value === 'running') return;
  const fresh = state.stale.value || state.status.value === 'ended' || state.made.value === undefined;
  if (fresh && !(await reset())) return;
  await move('resume');
}

/** One of the debugger's moves; the first makes the machine. */
export async function move(name: Move): Promise<void> {
  if (state.status.value === 'running' || machine === undefined) return;
  if (state.stale.value || state.made.value === undefined) {
    if (!(await reset())) return;
    if (name !== 'resume') return;
  }
  await moved(() => machine!.ask('go', name));
}

export const goTo = (instructions: number) => moved(() => machine!.ask('goTo', instructions));
export const goToExit = (exit: number) => moved(() => machine!.ask('goToExit', exit));
export const runTo = (instructions: number) => moved(() => machine!.ask('runTo', instructions));
export const lastWrite = (what: string) => moved(() => machine!.ask('lastWrite', what));

let stopping = Promise.resolve();

/** Stops a guest that runs. */
export async function stop(): Promise<void> {
  machine?.pause();
  await stopping;
}

async function moved(go: () => Promise<Halt>): Promise<void> {
  if (state.status.value === 'running' || state.made.value === undefined) return;
  machine?.clearPause();
  state.status.value = 'running';
  state.before.value = state.look.value?.registers ?? {};
  const shown = state.look.value?.memory;
  state.memoryBefore.value = shown;
  const work = guarded(async () => {
    const halt = await go();
    await arrived(halt);
    return true;
  });
  stopping = work.then(() => {});
  if (!(await work)) state.status.value = state.made.value === undefined ? 'ready' : 'stopped';
}

async function arrived(halt: Halt): Promise<void> {
  await refresh();
  const explained =
    halt.end !== undefined && halt.end.kind !== 'exited' ? await machine!.ask('why') : undefined;
  batch(() => {
    state.end.value = halt.end;
    state.halted.value = [haltText(halt), ...halt.notes].join('; ');
    const died =
      explained !== undefined && explained.explanation.innocent !== true && halt.end!.kind !== 'halted';
    state.why.value = explained && (died || halt.end!.kind !== 'halted') ? explained : undefined;
    if (died) openPanel('why');
    state.status.value = halt.why === 'end' ? 'ended' : 'stopped';
    state.moves.value++;
  });
}

/** Reads the machine's state again. @param live it runs: reads only what is cheap */
export async function refresh(live = false): Promise<void> {
  if (machine === undefined || state.made.value === undefined) return;
  const turn = ++counted;
  const memory = { address: state.memoryAt.value, length: MEMORY_BYTES, space: state.memorySpace.value };
  const what = live ? { stack: STACK_WORDS, memory } : { stack: STACK_WORDS, memory, code: CODE, frames: 16 };
  const look = await machine.ask('look', what);
  const timeline = await machine.ask('timeline', COLUMNS, state.span.value);
  const last = Math.max(1, live ? timeline.total - LIST + 1 : nearbyFrom(look.exits, timeline.first));
  const list = await machine.ask('exits', last, LIST);
  if (turn !== counted) return;
  batch(() => {
    state.look.value = live && state.look.value?.code ? { ...look, code: state.look.value.code } : look;
    state.timeline.value = timeline;
    state.exits.value = list;
    state.exitsFrom.value = last;
  });
}

const nearbyFrom = (total: number, first: number) => Math.max(first, total - LIST + 1);

/** Shows another part of the guest's time. */
export async function showSpan(span: { from: number; to: number } | undefined): Promise<void> {
  state.span.value = span;
  const timeline = await query('timeline', COLUMNS, span);
  if (timeline !== undefined && state.span.value === span) state.timeline.value = timeline;
}

/** Shows exits from a number on. */
export async function showExits(from: number): Promise<void> {
  if (machine === undefined) return;
  const list = await machine.ask('exits', from, LIST);
  batch(() => {
    state.exits.value = list;
    state.exitsFrom.value = from;
  });
}

// Points

export async function sendBreakpoints(): Promise<void> {
  if (machine === undefined || state.made.value === undefined) return;
  const [main] = state.files.value;
  const lines = state.breakpoints.value;
  const wanted = lines.map((line) => ({ file: main?.name ?? '', line }));
  const set = await machine.ask('breakpoints', wanted);
  state.breakpointProblem.value = set.find(({ problem }) => problem !== undefined)?.problem;
}

export function toggleBreakpoint(line: number): void {
  const lines = state.breakpoints.value;
  const next = lines.includes(line)
    ? lines.filter((one) => one !== line)
    : [...lines, line].sort((a, b) => a - b);
  state.breakpoints.value = next;
  if (!state.stale.value) void sendBreakpoints().catch(report);
}

export async function sendWatches(): Promise<void> {
  if (machine === undefined || state.made.value === undefined) return;
  const problems = await machine.ask('watch', state.watched.value);
  const bad = problems.find((one) => one !== undefined);
  if (bad !== undefined) notice(bad, true);
}

// Inputs

export const send = (bytes: Uint8Array) => machine?.send(bytes);
export const key = (name: string, down: boolean) => machine?.key(name, down);
/** Types keys as a guest's description has them. */
export const typeKeys = (keys: string) => machine?.tell({ tell: 'type', keys });
export const mouse = (move: MouseMove) => machine?.tell({ tell: 'mouse', move });
export const setPace = (real: boolean) => machine?.tell({ tell: 'pace', real });

/** Asks about the machine; undefined where there is none. */
export async function query<K extends CallName>(
  call: K,
  ...args: Parameters<WorkerCalls[K]>
): Promise<ReturnType<WorkerCalls[K]> | undefined> {
  if (machine === undefined || state.made.value === undefined) return undefined;
  return machine.ask(call, ...args);
}

export async function evaluate(text: string): Promise<string> {
  if (machine === undefined || state.made.value === undefined) return words.noMachine;
  try {
    const value = await machine.ask('evaluate', text);
    await refresh();
    return value;
  } catch (error) {
    return (error as Error).message;
  }
}

export async function snapshot(): Promise<Uint8Array | undefined> {
  if (machine === undefined || state.made.value === undefined) return undefined;
  return machine.ask('save');
}

export async function recordedInputs() {
  if (machine === undefined || state.made.value === undefined) return [];
  return machine.ask('inputs');
}

export async function openTerra(bytes: Uint8Array): Promise<void> {
  if (machine === undefined) return;
  await stop();
  await guarded(async () => {
    outlets.clear();
    state.guestMouse.value = 'none';
    const made = await machine!.ask('openTerra', bytes);
    batch(() => {
      state.made.value = made;
      state.machines.value++;
      takeMouse(made.devices);
      state.stale.value = false;
      state.end.value = undefined;
      state.why.value = undefined;
      state.status.value = 'stopped';
      state.halted.value = words.fromFile;
    });
    await refresh();
    return true;
  });
}

/** Shows an error, and continues. */
async function guarded(work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work();
  } catch (error) {
    report(error);
    return false;
  }
}

export function report(error: unknown): void {
  const { message, hint } = error as { message: string; hint?: string };
  notice(hint === undefined ? message : `${message} (${hint})`, true);
}
