/**
 * The last lines of a guest's console, of bounded size.
 *
 * @module
 */

/** How many lines are kept, and the longest line. */
const LINES = 500;
const LONGEST = 1000;

/** Handles line feed, carriage return, backspace and tab; other control characters are shown as marks. */
export class GuestConsole {
  readonly #lines: string[][] = [[]];
  readonly #decoder = new TextDecoder();
  #column = 0;

  /** How many lines there are; the guest prints on the last one. */
  get length(): number {
    return this.#lines.length;
  }

  /** The last lines, at most `count`. */
  last(count: number): readonly string[] {
    return this.#lines.slice(-count).map((line) => line.join(''));
  }

  print(bytes: Uint8Array): void {
    for (const character of this.#decoder.decode(bytes, { stream: true })) this.#put(character);
  }

  clear(): void {
    this.#lines.length = 0;
    this.#lines.push([]);
    this.#column = 0;
  }

  #put(character: string): void {
    const line = this.#lines.at(-1)!;
    if (character === '\n') {
      this.#lines.push([]);
      if (this.#lines.length > LINES) this.#lines.shift();
      this.#column = 0;
    } else if (character === '\r') this.#column = 0;
    else if (character === '\b') this.#column = Math.max(0, this.#column - 1);
    else if (character === '\t') {
      do this.#write(line, ' ');
      while (this.#column % 8 !== 0);
    } else this.#write(line, character);
  }

  #write(line: string[], character: string): void {
    if (this.#column >= LONGEST) return;
    while (line.length < this.#column) line.push(' ');
    line[this.#column++] = character;
  }
}
