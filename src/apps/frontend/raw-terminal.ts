import { InvalidArgumentError } from 'commander';

/**
 * A terminal in raw mode: it passes each key on as it is pressed, Ctrl-C too, and does not echo. Its mode is restored on every
 * way out but SIGKILL: by `dispose`, at the process's end, and by the signals that end it.
 */
export class RawTerminal implements Disposable {
  /** False where the input is not a terminal: then nothing is changed. */
  readonly raw: boolean;
  readonly #input: NodeJS.ReadStream;
  readonly #deadly: readonly NodeJS.Signals[];
  #on = false;

  /** @param ends the signals that end the process; others are handled by the caller, who disposes this in the end */
  constructor(input: NodeJS.ReadStream, ends: readonly NodeJS.Signals[] = deadly) {
    this.#input = input;
    this.#deadly = ends;
    this.raw = input.isTTY === true;
    if (!this.raw) return;
    this.#on = true;
    process.on('exit', this.#restore);
    process.on('SIGCONT', this.#continued);
    for (const signal of ends) process.on(signal, this.#end);
    input.setRawMode(true);
  }

  /**
   * Restores the terminal and stops the process, as Ctrl-Z does to others; takes the terminal again when the shell continues
   * it.
   */
  suspend(): void {
    if (!this.#on) return;
    this.#input.setRawMode(false);
    process.kill(process.pid, 'SIGTSTP');
  }

  [Symbol.dispose](): void {
    this.#restore();
  }

  readonly #restore = (): void => {
    if (!this.#on) return;
    this.#on = false;
    this.#input.setRawMode(false);
    process.removeListener('exit', this.#restore);
    process.removeListener('SIGCONT', this.#continued);
    for (const signal of this.#deadly) process.removeListener(signal, this.#end);
  };

  /** The shell may have set the terminal to its own modes, which Node does not know of. */
  readonly #continued = (): void => {
    this.#input.setRawMode(false);
    this.#input.setRawMode(true);
  };

  /** Restores the terminal, then ends by the signal's default action. */
  readonly #end = (signal: NodeJS.Signals): void => {
    this.#restore();
    process.kill(process.pid, signal);
  };
}

const deadly = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const;

/** `ctrl-]` → 0x1d: Ctrl clears the upper bits of a character of the ASCII columns 4 and 5; `none` → undefined. */
export function parseKey(text: string): number | undefined {
  if (text === 'none') return undefined;
  const [, key] = /^(?:ctrl-|\^)([a-z@[\\\]^_])$/i.exec(text) ?? [];
  if (key === undefined) {
    throw new InvalidArgumentError(`'${text}' is not a key. Write it as ctrl-a, ctrl-] or none.`);
  }
  return key.toUpperCase().charCodeAt(0) & 0x1f;
}

/** 0x1d → `Ctrl-]`. */
export function showKey(code: number): string {
  return `Ctrl-${String.fromCharCode(code | 0x40)}`;
}
