import type { LineRow, SourceFile } from './dwarf-lines.js';
import { countUpTo, lastAtOrBefore } from './sorted.js';

/** A line of a source file. */
export interface SourceLine {
  file: SourceFile;
  line: number;
}

/** The code of a line. */
export interface LinePlaces {
  /** The requested line, or the next one with code. */
  line: number;
  /** Each place where one of its statements begins, sorted: a line that was inlined twice has two. At least one. */
  addresses: readonly bigint[];
}

/** The first address, and the one after the last. */
export interface AddressRange {
  from: bigint;
  to: bigint;
}

/** The source lines of code, by address, and the code of lines. */
export class SourceLines {
  /** The rows of the line table, sorted by address. */
  readonly rows: readonly LineRow[];
  readonly #files: ReadonlyMap<string, SourceFile>;
  /** Each file's rows, by its key. Made on demand. */
  #byFile: Map<string, number[]> | undefined;

  constructor(rows: readonly LineRow[]) {
    this.rows = rows;
    this.#files = new Map(
      rows.flatMap(({ file }) => (file === undefined ? [] : [[keyOf(file), file] as const])),
    );
  }

  /** Every file that code came from. */
  get files(): readonly SourceFile[] {
    return [...this.#files.values()];
  }

  at(address: bigint): SourceLine | undefined {
    const row = lastAtOrBefore(this.rows, address);
    return row?.file && { file: row.file, line: row.line };
  }

  /**
   * Whether an address is the first of a statement of its line: elsewhere the code only continues that line. Optimised code has several
   * rows at one address, of which the last has the line, and any of that line the statement.
   */
  beginsStatement(address: bigint): boolean {
    const last = countUpTo(this.rows, address) - 1;
    const here = this.rows[last];
    if (here === undefined) return false;
    for (let i = last; this.rows[i]?.address === address; i--) {
      if (this.rows[i]!.statement && sameLine(this.rows[i]!, here)) return true;
    }
    return false;
  }

  /** The contiguous code around an address that comes from the same line. */
  rangeAt(address: bigint): AddressRange | undefined {
    let first = countUpTo(this.rows, address) - 1;
    const here = this.rows[first];
    if (here?.file === undefined) return undefined;
    let next = first + 1;
    while (first > 0 && sameLine(this.rows[first - 1]!, here)) first--;
    while (next < this.rows.length && sameLine(this.rows[next]!, here)) next++;
    const end = this.rows[next];
    return end && { from: this.rows[first]!.address, to: end.address };
  }

  /** Where rows begin from `from` (included) to `to` (not included): no instruction lies across one. */
  startsWithin({ from, to }: AddressRange): bigint[] {
    const starts: bigint[] = [];
    for (let i = countUpTo(this.rows, from - 1n); i < this.rows.length; i++) {
      const row = this.rows[i]!;
      if (row.address >= to) break;
      if (row.file !== undefined) starts.push(row.address);
    }
    return starts;
  }

  /** Undefined where neither the line nor one after it has code. */
  placesOf(file: SourceFile, line: number): LinePlaces | undefined {
    const rows = this.#rowsOf(file);
    let nearest: number | undefined;
    for (const at of rows) {
      const row = this.rows[at]!;
      if (row.line < line || !row.statement) continue;
      if (nearest === undefined || row.line < nearest) nearest = row.line;
    }
    if (nearest === undefined) return undefined;
    const own = rows.filter((at) => this.rows[at]!.line === nearest && this.rows[at]!.statement);
    // A row that is followed by another one at its address has no code of its own.
    const withCode = own.filter((at) => this.rows[at + 1]?.address !== this.rows[at]!.address);
    const good = withCode.length > 0 ? withCode : own;
    const begins = good.filter((at) => at === 0 || !sameLine(this.rows[at - 1]!, this.rows[at]!));
    const addresses = (begins.length > 0 ? begins : good).map((at) => this.rows[at]!.address);
    return { line: nearest, addresses: [...new Set(addresses)] };
  }

  /** Each line of a file that has code, with where it begins; sorted by line. */
  linesOf(file: SourceFile): number[] {
    const lines = this.#rowsOf(file).map((at) => this.rows[at]!.line);
    return [...new Set(lines)].sort((a, b) => a - b);
  }

  #rowsOf(file: SourceFile): readonly number[] {
    if (this.#byFile === undefined) {
      this.#byFile = new Map();
      for (const [at, row] of this.rows.entries()) {
        if (row.file === undefined) continue;
        const key = keyOf(row.file);
        const known = this.#byFile.get(key);
        if (known === undefined) this.#byFile.set(key, [at]);
        else known.push(at);
      }
    }
    return this.#byFile.get(keyOf(file)) ?? [];
  }
}

const keyOf = ({ path, directory }: SourceFile) => `${directory ?? ''}\0${path}`;

function sameLine(a: LineRow, b: LineRow): boolean {
  if (a.file === undefined || b.file === undefined || a.line !== b.line) return false;
  return a.file === b.file || keyOf(a.file) === keyOf(b.file);
}
