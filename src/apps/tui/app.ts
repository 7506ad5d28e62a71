/**
 * The running debugger: a terminal, a machine, and the controller between them.
 *
 * @module
 */
import { Debugger } from '../../debug/index.js';
import type { HostedMachine } from '../../runtime/index.js';
import type { SymbolTable } from '../../symbols/index.js';
import { strokesFrom } from '../frontend/screen/keys.js';
import { styleFor } from '../frontend/style.js';
import { Controller } from './controller.js';
import { ExitFeed } from './exit-feed.js';
import { FullScreen } from './full-screen.js';
import { GuestConsole } from './guest-console.js';
import { Keyboard } from './keyboard.js';
import { type Model, newModel } from './model.js';
import { draw, placesOf } from './view.js';

export interface AppParts {
  machine: HostedMachine;
  symbols: SymbolTable;
  /** The image's name, for display. */
  image: string;
  /** The image's folder. */
  folder: string;
  hasScreen: boolean;
  /** How instructions are written. Default `intel`. */
  syntax?: 'intel' | 'att';
  /** Text to type on the guest's keyboard at the start. */
  type?: string;
}

/** How often the display of a running guest is refreshed: milliseconds. */
const RUNNING_MS = 50;
/** Ctrl-], which ends typing to the guest, as it ends `terrarium attach`. */
const DETACH = 0x1d;
/** How long a guest may take to stop when the user quits: milliseconds. */
const QUIT_TIMEOUT_MS = 1000;

/** Shows the machine until the user quits. @returns the exit status */
export async function debugInTerminal(parts: AppParts): Promise<number> {
  const { machine, symbols, image, folder, hasScreen, type } = parts;
  const coloured = styleFor(process.stdout).coloured;
  const exits = new ExitFeed();
  const console = new GuestConsole();
  const { engine, boot } = machine;
  const model = newModel({ image, engine, hasScreen, console, memoryAt: BigInt(boot.entry) & ~0xfn });
  let leave: (status: number) => void = () => {};
  const left = new Promise<number>((resolve) => {
    leave = resolve;
  });
  using terminal = new FullScreen({
    onTyped: (bytes) => typed(bytes),
    onRedraw: () => {
      controller.resized();
      paint();
    },
    onDrained: () => {
      if (stale) paint();
    },
    onEnd: () => end(),
  });
  let stale = false;
  const paint = () => {
    stale = terminal.busy;
    if (stale) return;
    const { columns, rows } = terminal;
    terminal.show(draw(model, { columns, rows, coloured }));
  };
  const held = new Debugger(machine.debugTarget(), symbols);
  held.syntax = parts.syntax ?? 'intel';
  const controller = new Controller({
    model,
    debugger: held,
    exits,
    because: machine.engineBecause,
    folder,
    guest: {
      get memory() {
        return machine.memory;
      },
      screen: () => machine.screen(),
      // Not waited for: a guest may never read its keyboard.
      typeAgain: () => void (type === undefined || machine.type(type)),
    },
    places: () => placesOf(model, terminal.columns, terminal.rows) ?? [],
    onChange: paint,
    onQuit: () => leave(0),
    onRedraw: () => {
      terminal.forget();
      paint();
    },
  });
  const keyboard = new Keyboard((key) => {
    if (key === 'Ctrl-Z') terminal.suspend();
    else void controller.press(key);
  });
  const typed = (bytes: Uint8Array) => {
    const rest = model.typing === undefined ? bytes : typeToGuest(machine, model, bytes);
    keyboard.take(rest);
    paint();
  };
  const end = async () => {
    let limit: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      limit = setTimeout(resolve, QUIT_TIMEOUT_MS);
    });
    // A timer that is not cleared keeps the process alive until it fires.
    await Promise.race([controller.stop(), late]).finally(() => clearTimeout(limit));
  };
  listen(machine, model, exits, paint);
  const timer = setInterval(() => {
    if (model.phase !== 'running') return;
    model.exits = exits.count;
    model.exitRows = exits.rows;
    paint();
  }, RUNNING_MS);
  try {
    await controller.start();
    if (type !== undefined) void machine.type(type);
    const status = await left;
    await end();
    return status;
  } finally {
    clearInterval(timer);
    keyboard.close();
  }
}

/** Connects the guest's output, log and screen while it runs. */
function listen(machine: HostedMachine, model: Model, exits: ExitFeed, paint: () => void): void {
  machine.onOutput((bytes) => model.console.print(bytes));
  const log = new TextDecoder();
  // Hypercall log lines come one by one, with their control characters made visible.
  machine.onLog((bytes) => {
    model.console.print(Buffer.from(log.decode(bytes, { stream: true }).replace(/^(?=.)/gm, 'guest: ')));
  });
  machine.onTrace((bytes) => exits.take(bytes));
  machine.onFrame((picture) => {
    // The bytes are valid until this returns.
    model.picture = { ...picture, rgba: picture.rgba.slice() };
    paint();
  });
}

/** Sends all keys to the guest up to Ctrl-], which ends typing. @returns the bytes after it */
function typeToGuest(machine: HostedMachine, model: Model, bytes: Uint8Array): Uint8Array {
  const at = bytes.indexOf(DETACH);
  const own = at < 0 ? bytes : bytes.subarray(0, at);
  const text = Buffer.from(own).toString('latin1');
  if (own.length > 0 && model.typing === 'serial') {
    // As a terminal in line mode: Enter is a line feed.
    void machine.send(Buffer.from(text.replaceAll('\r', '\n'), 'latin1'));
    model.message = { text: `sent ${JSON.stringify(text)} to the serial port`, tone: 'running' };
  } else if (own.length > 0) {
    for (const { name, down } of strokesFrom(text)) machine.sendKey(name, down);
    model.message = { text: `pressed ${JSON.stringify(text)} on the keyboard`, tone: 'running' };
  }
  if (at < 0) return bytes.subarray(bytes.length);
  model.typing = undefined;
  model.message =
    model.phase === 'running'
      ? { text: 'the guest runs', tone: 'running' }
      : { text: 'c lets the guest run and read it', tone: 'plain' };
  return bytes.subarray(at + 1);
}
