/**
 * `--screen`: shows the guest's VGA in this terminal while it runs. Pixels where the terminal reports that it can show them
 * (kitty, sixels), else text as text and graphics as half blocks. Keys go to the guest's keyboard, and the
 * mouse to a guest that listens to its mouse; Ctrl-C ends the run.
 *
 * @module
 */
import type { Picture } from '../../../devices/contract/index.js';
import { ConfigError } from '../../../errors.js';
import type { HostedMachine } from '../../../runtime/index.js';
import { styleFor } from '../style.js';
import { type Cells, cellsOf, plainCellsOf } from './cells.js';
import { INTERRUPT, strokesFrom } from './keys.js';
import { type CellSize, MOUSE_OFF, MOUSE_ON, TerminalMouse } from './mouse.js';
import { CellPainter, linesOf } from './painter.js';
import { kitty, kittyEnd, sixel } from './pixels.js';

export type Graphics = 'cells' | 'kitty' | 'sixel';

/** How long a terminal may take to report its features: milliseconds. A slow connection does not hold up the run. */
const ANSWER_MS = 300;
/**
 * Asks by kitty's protocol whether a picture of one pixel would be shown, then for the device attributes, which every terminal
 * answers.
 */
const QUESTION = '\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c';
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[2J';
const LEAVE = '\x1b[0m\x1b[?25h\x1b[?1049l';

/** The features that an answer names. */
export function graphicsFrom(answer: string): Graphics {
  if (/_Gi=31;OK/.test(answer)) return 'kitty';
  const [, attributes = ''] = /\[\?([\d;]+)c/.exec(answer) ?? [];
  return attributes.split(';').includes('4') ? 'sixel' : 'cells';
}

/** The terminal while it shows a guest. Its state is restored on every way out but SIGKILL. */
export class LiveScreen {
  readonly #machine: HostedMachine;
  readonly #painter = new CellPainter();
  #graphics: Graphics = 'cells';
  /** NO_COLOR: no pixels either, since they are colours. */
  readonly #plain = !styleFor(process.stdout).coloured;
  #asking: ((answer: string) => void) | undefined;
  #open = true;
  readonly #mouse = new TerminalMouse();
  #mouseIsOn = false;
  #cell: CellSize = { across: 8, down: 16 };
  /** The largest text that did not fit into the terminal. */
  #cut: { columns: number; rows: number } | undefined;

  private constructor(machine: HostedMachine) {
    this.#machine = machine;
    process.on('exit', this.#restore);
    process.on('SIGQUIT', this.#quit);
    process.stdout.on('resize', this.#resized);
    process.stdin.setRawMode(true);
    process.stdin.on('data', this.#typed);
    process.stdout.write(ENTER);
    machine.onFrame((picture) => this.#show(picture));
    machine.onSigns(({ mouse }) => this.#switchMouse(mouse));
  }

  /** @throws ConfigError without a terminal */
  static async open(machine: HostedMachine): Promise<LiveScreen> {
    if (!process.stdin.isTTY || !process.stdout.isTTY) {
      throw new ConfigError(
        '--screen draws in a terminal, and stdin or stdout is not a terminal',
        'run it in a terminal, or make a picture with --screenshot FILE.png',
      );
    }
    const screen = new LiveScreen(machine);
    if (!screen.#plain) screen.#graphics = graphicsFrom(await screen.#ask());
    return screen;
  }

  /** Restores the terminal, and leaves the last picture in it. */
  close(last: Picture | undefined): void {
    this.#restore();
    if (last === undefined) return;
    const [columns, rows] = size();
    const picture = this.#pixels(last, columns, rows);
    process.stdout.write(picture === undefined ? linesOf(this.#cells(last, columns, rows)) : `${picture}\n`);
    if (this.#cut !== undefined) {
      process.stderr.write(
        `terrarium: the guest's screen has ${this.#cut.columns} × ${this.#cut.rows} characters and this terminal had ${columns} × ${rows}: the rest was left out; make the terminal larger to see all of it\n`,
      );
    }
  }

  /** Resolves when the terminal has taken the picture, so that a slow one is not flooded. */
  #show(picture: Picture): Promise<void> {
    if (!this.#open) return Promise.resolve();
    const [columns, rows] = size();
    if (picture.text === undefined)
      this.#cell = { across: Math.ceil(picture.width / columns), down: Math.ceil(picture.height / rows) };
    const pixels = this.#pixels(picture, columns, rows);
    const out =
      pixels === undefined ? this.#painter.paint(this.#cells(picture, columns, rows)) : `\x1b[H${pixels}`;
    if (out === '') return Promise.resolve();
    return new Promise((resolve) => process.stdout.write(out, () => resolve()));
  }

  #cells(picture: Picture, columns: number, rows: number): Cells {
    const { text } = picture;
    if (text !== undefined && (text.columns > columns || text.rows > rows)) this.#cut = text;
    return this.#plain ? plainCellsOf(picture, columns, rows) : cellsOf(picture, columns, rows);
  }

  #pixels(picture: Picture, columns: number, rows: number): string | undefined {
    if (this.#graphics === 'sixel') return sixel(picture, picture.width <= 400 ? 2 : 1);
    if (this.#graphics !== 'kitty') return undefined;
    // Four wide and three high, with cells that are twice as high as wide.
    const across = Math.min(columns, Math.floor((rows * 8) / 3));
    return kitty(picture, across, Math.max(1, Math.floor((across * 3) / 8)));
  }

  /** The terminal's answer to the question; where it does not complete in time, the part that has arrived. */
  #ask(): Promise<string> {
    return new Promise((resolve) => {
      let answer = '';
      const done = () => {
        clearTimeout(timer);
        this.#asking = undefined;
        resolve(answer);
      };
      const timer = setTimeout(done, ANSWER_MS);
      this.#asking = (text) => {
        answer += text;
        if (/\[\?[\d;]*c/.test(answer)) done();
      };
      process.stdout.write(QUESTION);
    });
  }

  readonly #typed = (chunk: Buffer): void => {
    const text = chunk.toString('latin1');
    if (text.includes(INTERRUPT)) {
      // As in a terminal that is not raw: the run ends, and a second Ctrl-C ends the process.
      process.kill(process.pid, 'SIGINT');
      return;
    }
    if (this.#asking !== undefined) this.#asking(text);
    // Keys that a guest does not read are lost, as on a real keyboard.
    else for (const { name, down } of strokesFrom(this.#moved(text))) this.#machine.sendKey(name, down);
  };

  /** Takes the mouse's reports at the start of the typed characters; returns the rest. */
  #moved(text: string): string {
    let rest = text;
    for (;;) {
      const report = this.#mouse.read(rest, this.#cell);
      if (report === undefined) return rest;
      this.#machine.sendMouse(report.move);
      rest = rest.slice(report.length);
    }
  }

  /** A terminal's own marking by mouse is off only while the guest listens to its mouse. */
  #switchMouse(on: boolean): void {
    if (!this.#open || on === this.#mouseIsOn) return;
    this.#mouseIsOn = on;
    process.stdout.write(on ? MOUSE_ON : MOUSE_OFF);
  }

  readonly #resized = (): void => {
    this.#painter.forget();
  };

  readonly #restore = (): void => {
    if (!this.#open) return;
    this.#open = false;
    process.removeListener('exit', this.#restore);
    process.removeListener('SIGQUIT', this.#quit);
    process.stdout.removeListener('resize', this.#resized);
    process.stdin.removeListener('data', this.#typed);
    process.stdin.setRawMode(false);
    if (this.#mouseIsOn) process.stdout.write(MOUSE_OFF);
    process.stdout.write(this.#graphics === 'kitty' ? kittyEnd + LEAVE : LEAVE);
  };

  readonly #quit = (): void => {
    this.#restore();
    process.kill(process.pid, 'SIGQUIT');
  };
}

function size(): [columns: number, rows: number] {
  return [process.stdout.columns || 80, process.stdout.rows || 24];
}
