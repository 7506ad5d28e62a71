/**
 * A machine's console on this process's stdin and stdout.
 *
 * @module
 */
import { readSync } from 'node:fs';
import type { HostedMachine } from '../../runtime/index.js';
import { RawTerminal } from './raw-terminal.js';
import { INTERRUPT, strokesFrom } from './screen/keys.js';
import { isFile, standardError, standardOutput } from './standard-output.js';

/** How many console bytes are kept for expectations, from the start. A guest may print without end. */
const KEPT_BYTES = 16 * 1024 * 1024;
/** How many typed bytes wait for a guest that does not read its serial port; more are dropped. */
const MAX_WAITING = 4096;
const LINE_FEED = 0x0a;
const MAX_TAIL = 8192;
const STDIN = 0;
/** Bytes that are read at once from a file. */
const CHUNK = 64 * 1024;
/** Ctrl-Z. */
const SUSPEND = '\x1a';

/** Where keys typed at this terminal go: to the guest's serial port as bytes, to its keyboard, or both. */
export const keyTargets = ['serial', 'keyboard', 'both'] as const;
export type KeyTarget = (typeof keyTargets)[number];

export interface ConsoleOptions {
  /** Keep the output. */
  keep: boolean;
  /** Also receives the output. */
  tap?: ((bytes: Uint8Array) => void) | undefined;
  /** The terminal shows the guest's screen: output waits for `close`, and the screen handles the keys. */
  screen?: boolean;
  /** Where keys typed at a terminal go; a stdin that is not a terminal always goes to the serial port. Default `both`. */
  keys?: KeyTarget;
  /** Writes the output, instead of stdout. */
  write?: ((bytes: Uint8Array) => unknown) | undefined;
}

/** A machine's console on this process's stdin and stdout. */
export interface ConnectedConsole {
  /** The guest's output, where it is kept. */
  readonly bytes: Uint8Array;
  /** The last 8 KiB of output, as text: a BIOS prints on the screen and here. */
  readonly tail: string;
  /** The last output has no newline, and is on the terminal to which Terrarium's messages go. */
  readonly openLine: boolean;
  /**
   * Why stdout cannot be written: `EPIPE` where its reader has closed it, `ENOSPC` where its disk is full; undefined while it can.
   */
  readonly failure: string | undefined;
  /** Releases stdin. With `flush`, resolves when all output has been written. */
  close(flush: boolean): Promise<void>;
}

/**
 * Connects stdout to the guest's console and stdin to its serial port, byte for byte. At a terminal each key goes to the guest
 * as it is pressed, and none is echoed; Ctrl-C and Ctrl-Z keep their meaning.
 */
export function connectConsole(machine: HostedMachine, options: ConsoleOptions): ConnectedConsole {
  const { keep, tap, screen = false, keys = 'both' } = options;
  const write = options.write ?? ((bytes: Uint8Array) => standardOutput.write(bytes));
  const kept: Uint8Array[] = [];
  let keptLength = 0;
  let last = LINE_FEED;
  let tail = Buffer.alloc(0);
  machine.onOutput((bytes) => {
    tap?.(bytes);
    last = bytes.at(-1) ?? last;
    tail = Buffer.concat([tail, bytes.subarray(-MAX_TAIL)]).subarray(-MAX_TAIL);
    if ((keep || screen) && keptLength < KEPT_BYTES) {
      kept.push(bytes);
      keptLength += bytes.length;
    }
    return screen ? undefined : write(bytes);
  });
  // The reader of stdout has closed it (`| head -1`), or the disk is full: this guest's output is lost, so the run ends.
  let failure: string | undefined;
  standardOutput.onError((error) => {
    failure ??= error.code ?? error.message;
    machine.closeOutput();
    void machine.stop();
  });
  // Not opened for a guest that never looks for it.
  let input: Disposable | undefined;
  if (screen) process.stdin.on('error', () => {});
  else
    machine.onInputWanted(() => {
      const file = inputFile(machine);
      input = file ?? connectInput(machine, keys);
      // A file is read at once, and nobody has typed yet; a pipe may be full.
      return file !== undefined || process.stdin.isTTY === true;
    });
  return {
    get bytes() {
      return Buffer.concat(kept);
    },
    get failure() {
      return failure;
    },
    get tail() {
      return tail.toString();
    },
    get openLine() {
      return last !== LINE_FEED && standardOutput.sharesWith(standardError);
    },
    async close(flush) {
      input?.[Symbol.dispose]();
      if (screen) process.stdin.removeAllListeners('data').destroy();
      if (screen) for (const bytes of kept) void standardOutput.write(bytes);
      if (flush) await standardOutput.flush();
    },
  };
}

/** Sends stdin where it is a file, which can be read at once: without Node's streams, see standard-output.ts. */
function inputFile(machine: HostedMachine): Disposable | undefined {
  if (!isFile(STDIN)) return undefined;
  let closed = false;
  const send = async () => {
    for (const chunk = new Uint8Array(CHUNK); !closed; ) {
      const length = readSync(STDIN, chunk);
      if (length === 0) return;
      await machine.send(chunk.slice(0, length));
    }
  };
  // An unreadable stdin counts as empty.
  void send().catch(() => {});
  return {
    [Symbol.dispose]() {
      closed = true;
    },
  };
}

/** @returns what ends it: releases stdin, and restores the terminal where it is one */
function connectInput(machine: HostedMachine, keys: KeyTarget): Disposable {
  const { stdin } = process;
  // A closed or unreadable stdin counts as empty.
  stdin.on('error', () => {});
  const terminal = stdin.isTTY ? sendKeys(machine, keys) : undefined;
  if (terminal === undefined)
    stdin.on('data', (chunk: Buffer) => {
      stdin.pause();
      void machine.send(chunk).then(() => stdin.resume());
    });
  return {
    [Symbol.dispose]() {
      terminal?.[Symbol.dispose]();
      stdin.removeAllListeners('data').destroy();
    },
  };
}

function sendKeys(machine: HostedMachine, keys: KeyTarget): RawTerminal {
  const { stdin } = process;
  // The run handles SIGINT, SIGTERM and SIGHUP: they stop the guest first.
  const terminal = new RawTerminal(stdin, ['SIGQUIT']);
  let waiting = 0;
  stdin.on('data', (chunk: Buffer) => {
    const text = chunk.toString('latin1');
    // As in a terminal that is not raw: the first ends the run, a second one the process.
    if (text.includes(INTERRUPT)) process.kill(process.pid, 'SIGINT');
    else if (text.includes(SUSPEND)) terminal.suspend();
    else {
      if (keys !== 'serial') for (const { name, down } of strokesFrom(text)) machine.sendKey(name, down);
      if (keys === 'keyboard' || waiting + chunk.length > MAX_WAITING) return;
      waiting += chunk.length;
      // As a terminal in line mode: Enter is a line feed (termios, ICRNL).
      const bytes = Buffer.from(text.replaceAll('\r', '\n'), 'latin1');
      void machine.send(bytes).then(() => {
        waiting -= chunk.length;
      });
    }
  });
  return terminal;
}
