/**
 * A machine's console on this process's stdin and stdout.
 *
 * @module
 */
import type { HostedMachine } from '../../runtime/index.js';
import { RawTerminal } from './raw-terminal.js';
import { INTERRUPT, strokesFrom } from './screen/keys.js';
import { standardError, standardOutput } from './standard-output.js';

/** Console bytes that are kept for expectations: the first of them. A guest may print without end. */
const KEPT_BYTES = 16 * 1024 * 1024;
/** Typed bytes that wait for a guest that does not read its serial port; further ones are dropped. */
const MOST_WAITING = 4096;
const LINE_FEED = 0x0a;
/** Ctrl-Z. */
const SUSPEND = '\x1a';

/** What a guest's keys at this terminal are: bytes on its serial port, keys of its keyboard, or both. */
export const keyTargets = ['serial', 'keyboard', 'both'] as const;
export type KeyTarget = (typeof keyTargets)[number];

export interface ConsoleOptions {
  /** Remember what is printed. */
  keep: boolean;
  /** Sees what is printed as well. */
  tap?: ((bytes: Uint8Array) => void) | undefined;
  /** The terminal shows the guest's screen: what is printed waits for `close`, and keys are somebody else's. */
  screen?: boolean;
  /** Where keys typed at a terminal go; a stdin that is no terminal is always the serial port. Default `both`. */
  keys?: KeyTarget;
  /** Writes what is printed, in place of stdout. */
  write?: ((bytes: Uint8Array) => unknown) | undefined;
}

/** A machine's console on this process's stdin and stdout. */
export interface ConnectedConsole {
  /** What the guest printed, where it was asked to be kept. */
  readonly bytes: Uint8Array;
  /** What was printed last has no end of its line, and stands at the terminal that Terrarium's own words go to. */
  readonly openLine: boolean;
  /** Why stdout takes no more: `EPIPE` where its reader has gone, `ENOSPC` where its disk is full; undefined while it does. */
  readonly failure: string | undefined;
  /** Lets go of stdin. With `flush`, resolves when everything printed has been handed over. */
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
  machine.onOutput((bytes) => {
    tap?.(bytes);
    last = bytes.at(-1) ?? last;
    if ((keep || screen) && keptLength < KEPT_BYTES) {
      kept.push(bytes);
      keptLength += bytes.length;
    }
    return screen ? undefined : write(bytes);
  });
  // Whoever read stdout has gone (`| head -1`), or its disk is full: what this guest prints is lost, so it ends.
  let failure: string | undefined;
  standardOutput.onError((error) => {
    failure ??= error.code ?? error.message;
    machine.closeOutput();
    void machine.stop();
  });
  // Not opened for a guest that never looks for it.
  let input: { terminal: RawTerminal | undefined } | undefined;
  if (screen) process.stdin.on('error', () => {});
  else
    machine.onInputWanted(() => {
      input = { terminal: connectInput(machine, keys) };
    });
  return {
    get bytes() {
      return Buffer.concat(kept);
    },
    get failure() {
      return failure;
    },
    get openLine() {
      return last !== LINE_FEED && standardOutput.isTTY && standardError.isTTY;
    },
    async close(flush) {
      input?.terminal?.[Symbol.dispose]();
      if (input !== undefined || screen) process.stdin.removeAllListeners('data').destroy();
      if (screen) for (const bytes of kept) void standardOutput.write(bytes);
      if (flush) await standardOutput.flush();
    },
  };
}

/** @returns the terminal where stdin is one, to be put back in the end */
function connectInput(machine: HostedMachine, keys: KeyTarget): RawTerminal | undefined {
  const { stdin } = process;
  // A closed or unreadable stdin is an empty one.
  stdin.on('error', () => {});
  if (!stdin.isTTY) {
    stdin.on('data', (chunk: Buffer) => {
      stdin.pause();
      void machine.send(chunk).then(() => stdin.resume());
    });
    return undefined;
  }
  // SIGINT, SIGTERM and SIGHUP stop the guest first: that is the run's business.
  const terminal = new RawTerminal(stdin, ['SIGQUIT']);
  let waiting = 0;
  stdin.on('data', (chunk: Buffer) => {
    const text = chunk.toString('latin1');
    // As the terminal does it where it is not raw: the first ends the run, a second one the process.
    if (text.includes(INTERRUPT)) process.kill(process.pid, 'SIGINT');
    else if (text.includes(SUSPEND)) terminal.suspend();
    else {
      if (keys !== 'serial') for (const { name, down } of strokesFrom(text)) machine.sendKey(name, down);
      if (keys === 'keyboard' || waiting + chunk.length > MOST_WAITING) return;
      waiting += chunk.length;
      // As a terminal gives lines to a program: Enter is a line feed (termios, ICRNL).
      const bytes = Buffer.from(text.replaceAll('\r', '\n'), 'latin1');
      void machine.send(bytes).then(() => {
        waiting -= chunk.length;
      });
    }
  });
  return terminal;
}
