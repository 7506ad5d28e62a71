import type { SourceLine } from './cpp.js';
import { type Origin, SourceError } from './source.js';

/** The most lines that macros and repetitions may make, and how deeply macros may be nested. */
export const MAX_LINES = 4_000_000;
const DEEPEST = 200;

interface Feed<Mark> {
  readonly lines: readonly SourceLine[];
  at: number;
  readonly mark: Mark;
}

/** The remaining lines: macros, repetitions and included files put theirs before the others. */
export class LineStack<Mark> {
  readonly #feeds: Feed<Mark>[] = [];
  readonly #complain: (origin: Origin, error: SourceError) => void;
  #count = 0;

  constructor(complain: (origin: Origin, error: SourceError) => void) {
    this.#complain = complain;
  }

  /** @param mark the reader's data about these lines. @throws SourceError where they are nested too deeply */
  push(lines: readonly SourceLine[], mark: Mark): void {
    if (this.#feeds.length >= DEEPEST)
      throw new SourceError(`more than ${DEEPEST} macros and files within each other`);
    this.#feeds.push({ lines, at: 0, mark });
  }

  /** The next line; undefined at the end, also after too many lines. */
  next(): SourceLine | undefined {
    for (;;) {
      const feed = this.#feeds.at(-1);
      if (feed === undefined) return undefined;
      const line = feed.lines[feed.at++];
      if (line === undefined) {
        this.#feeds.pop();
        continue;
      }
      if (++this.#count <= MAX_LINES) return line;
      this.#complain(line.origin, new SourceError(`more than ${MAX_LINES} lines with what macros make`));
      this.#feeds.length = 0;
      return undefined;
    }
  }

  /**
   * The lines of a block, up to its end. @throws SourceError where it has no end. @param missing the message then
   */
  block(start: RegExp, end: RegExp, missing: string): SourceLine[] {
    const body: SourceLine[] = [];
    for (let depth = 1; ; ) {
      const line = this.next();
      if (line === undefined) throw new SourceError(missing);
      if (start.test(line.text)) depth++;
      if (end.test(line.text) && --depth === 0) return body;
      body.push(line);
    }
  }

  /** The file of the innermost lines. */
  get file(): string {
    return this.#feeds.at(-1)?.lines[0]?.origin.file ?? '';
  }

  /** The innermost mark of a kind. */
  find(isMeant: (mark: Mark) => boolean): Mark | undefined {
    return this.#feeds.findLast(({ mark }) => isMeant(mark))?.mark;
  }

  /** Leaves the innermost lines of a kind, with those within them. Returns their mark; undefined where there are none. */
  leave(isMeant: (mark: Mark) => boolean): Mark | undefined {
    const at = this.#feeds.findLastIndex(({ mark }) => isMeant(mark));
    return at < 0 ? undefined : this.#feeds.splice(at)[0]!.mark;
  }
}
