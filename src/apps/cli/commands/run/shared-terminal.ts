/**
 * A terminal that shows a trace and the guest's output: each line is one or the other, and fits.
 *
 * @module
 */
import { styleFor } from '../../../frontend/style.js';

/** True where a trace and the guest's console go to the same terminal. */
export function sharesTerminal(trace: string | true | undefined): boolean {
  return (trace === true || trace === '-') && process.stderr.isTTY === true && process.stdout.isTTY === true;
}

/** The longest line that is shown as one: a guest may never print an end of line. */
const LONGEST_LINE = 4096;

/** A guest's output is held back to the end of its line, and marked. */
export class SharedTerminal {
  readonly #decoder = new TextDecoder();
  #line = '';

  /** A piece of the console. */
  print(bytes: Uint8Array): Promise<void> {
    const lines = (this.#line + this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#line = lines.pop()!;
    if (this.#line.length > LONGEST_LINE) {
      lines.push(this.#line);
      this.#line = '';
    }
    const { dim } = styleFor(process.stdout);
    const text = lines.map((line) => `${dim('console:')} ${line}\n`).join('');
    return new Promise((resolve) => process.stdout.write(text, () => resolve()));
  }

  /** Whole lines of the trace, each cut to the terminal's width. */
  trace(bytes: Uint8Array): Promise<void> {
    const width = process.stderr.columns || 80;
    const text = Buffer.from(bytes)
      .toString('utf8')
      .replace(/^.*$/gm, (line) => (line.length > width ? `${line.slice(0, width - 1)}…` : line));
    return new Promise((resolve) => process.stderr.write(text, () => resolve()));
  }

  /** The console's last line, where it has no end. */
  end(): void {
    if (this.#line !== '') void this.print(Uint8Array.of(10));
  }
}
