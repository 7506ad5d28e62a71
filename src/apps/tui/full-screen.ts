/**
 * The terminal in full-screen mode: the alternate screen, each key as it is pressed, and only changes are sent. Its state is
 * restored on every way out but SIGKILL, and while the program is stopped (Ctrl-Z, SIGTSTP).
 *
 * @module
 */
import type { Cells } from '../frontend/screen/cells.js';
import { CellPainter } from '../frontend/screen/painter.js';

/** Alternate screen with the cursor saved, cursor hidden, no wrapping at the right edge (xterm's control sequences). */
const PREPARE = '\x1b[?25l\x1b[?7l';
const ENTER = `\x1b[?1049h${PREPARE}`;
const LEAVE = '\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l';

/** The signals that end a program, by number. */
const deadly = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

export interface FullScreenEvents {
  /** Bytes of pressed keys. */
  onTyped(bytes: Uint8Array): void;
  /** The size has changed, or another program used the terminal in between: redraw. */
  onRedraw(): void;
  /** The terminal has accepted what was sent. */
  onDrained(): void;
  /** A signal ends the program: the terminal is restored, and the process ends when this has resolved. */
  onEnd(): Promise<void>;
}

export class FullScreen implements Disposable {
  readonly #events: FullScreenEvents;
  readonly #painter = new CellPainter();
  readonly #stdin = process.stdin;
  readonly #stdout = process.stdout;
  #open = true;
  #ending = false;
  /** The terminal has not yet accepted what was written. */
  #busy = false;
  #written = 0;

  constructor(events: FullScreenEvents) {
    this.#events = events;
    // After an uncaught exception too, before Node prints it.
    process.on('exit', this.#restore);
    process.on('SIGTSTP', this.suspend);
    process.on('SIGCONT', this.#continued);
    for (const signal of Object.keys(deadly)) process.on(signal, this.#end);
    // A closed terminal accepts no more bytes: end as by SIGHUP.
    this.#stdin.on('error', this.#gone);
    this.#stdin.on('end', this.#gone);
    this.#stdout.on('error', this.#gone);
    this.#stdout.on('resize', this.#redraw);
    this.#stdin.on('data', this.#typed);
    this.#enter(ENTER);
  }

  get columns(): number {
    return this.#stdout.columns || 80;
  }

  get rows(): number {
    return this.#stdout.rows || 24;
  }

  /** Number of bytes sent so far. */
  get written(): number {
    return this.#written;
  }

  /** True while a slow terminal still reads: draw later, once, the state of that time. */
  get busy(): boolean {
    return this.#busy;
  }

  show(cells: Cells): void {
    if (!this.#open || this.#busy) return;
    const out = this.#painter.paint(cells);
    if (out === '') return;
    this.#written += Buffer.byteLength(out);
    this.#busy = true;
    this.#stdout.write(out, () => {
      this.#busy = false;
      this.#events.onDrained();
    });
  }

  /** Forgets what is shown, so that all of it is sent again. */
  forget(): void {
    this.#painter.forget();
  }

  /**
   * Restores the terminal and stops the process, as Ctrl-Z does to others; takes the terminal again when the shell continues
   * it.
   */
  readonly suspend = (): void => {
    this.#leave();
    process.removeListener('SIGTSTP', this.suspend);
    // Returns after SIGCONT; at once where no shell could send it (POSIX: an orphaned process group).
    process.kill(process.pid, 'SIGTSTP');
    process.on('SIGTSTP', this.suspend);
    this.#enter(ENTER);
    this.#redraw();
  };

  [Symbol.dispose](): void {
    this.#restore();
    this.#stdin.destroy();
  }

  #enter(how: string): void {
    // Node does not know that others changed the terminal's mode, and would not set it again.
    this.#stdin.setRawMode(false);
    this.#stdin.setRawMode(true);
    this.#stdout.write(how);
    this.#painter.forget();
  }

  #leave(): void {
    this.#stdin.setRawMode(false);
    this.#stdout.write(LEAVE);
  }

  readonly #typed = (bytes: Uint8Array): void => this.#events.onTyped(bytes);

  readonly #redraw = (): void => {
    this.#painter.forget();
    this.#events.onRedraw();
  };

  /**
   * After SIGSTOP, which no program can catch. The alternate screen is still active: to enter it twice would lose the saved
   * cursor.
   */
  readonly #continued = (): void => {
    this.#enter(PREPARE);
    this.#redraw();
  };

  readonly #gone = (): void => this.#end('SIGHUP');

  /** The first signal ends the program cleanly, the second at once. */
  readonly #end = (signal: NodeJS.Signals): void => {
    const status = 128 + deadly[signal as keyof typeof deadly];
    this.#restore();
    if (this.#ending) process.exit(status);
    this.#ending = true;
    this.#events.onEnd().finally(() => process.exit(status));
  };

  readonly #restore = (): void => {
    if (!this.#open) return;
    this.#open = false;
    process.removeListener('exit', this.#restore);
    process.removeListener('SIGTSTP', this.suspend);
    process.removeListener('SIGCONT', this.#continued);
    this.#stdout.removeListener('resize', this.#redraw);
    this.#stdin.removeListener('data', this.#typed);
    try {
      this.#leave();
    } catch {
      // The terminal has closed.
    }
  };
}
