/** Columns of a timeline: enough for a wide terminal and for a picture. A power of two, since neighbours are merged. */
const COLUMNS = 512;
/** The most separate rows; the rest is one row. */
const MAX_ROWS = 32;
/** The finest column, in microseconds. */
const FINEST_US = 0.5;

/** A row as plain data: exits and microseconds in each column. */
export interface TimelineRow {
  name: string;
  counts: number[];
  /** Microseconds of the column that belong to this row. */
  busyUs: number[];
}

/** The timeline as plain data. */
export interface TimelineJson {
  /** Where the first column begins, by the trace's clock. */
  startUs: number;
  /** What one column is wide. */
  columnUs: number;
  /** Columns from the first to the last non-empty one. */
  columns: number;
  rows: TimelineRow[];
}

interface Row {
  readonly counts: Float64Array;
  readonly busy: Float64Array;
}

/**
 * Who was busy when, in a fixed number of columns: all columns double their width when the trace gets longer than they
 * are. So a trace of any length is read once and takes the same memory.
 */
export class Timeline {
  readonly #rows = new Map<string, Row>();
  #columnUs = FINEST_US;
  #startUs = Number.NaN;
  #endUs = 0;

  /** Adds microseconds of `name` from a moment on; `counts` where it is an exit. */
  add(name: string, fromUs: number, us: number, counts: boolean): void {
    if (Number.isNaN(this.#startUs)) this.#startUs = Math.max(0, fromUs);
    const from = Math.max(0, fromUs - this.#startUs);
    const to = Math.max(from, fromUs + us - this.#startUs);
    if (to > this.#endUs) this.#endUs = to;
    while (to >= COLUMNS * this.#columnUs) this.#widen();
    const row = this.#row(name);
    const width = this.#columnUs;
    const first = Math.floor(from / width);
    const last = Math.floor(to / width);
    if (counts) row.counts[first]!++;
    if (first === last) row.busy[first]! += to - from;
    else {
      row.busy[first]! += (first + 1) * width - from;
      for (let column = first + 1; column < last; column++) row.busy[column]! += width;
      row.busy[last]! += to - last * width;
    }
  }

  toJSON(): TimelineJson {
    const columns = Number.isNaN(this.#startUs) ? 0 : Math.floor(this.#endUs / this.#columnUs) + 1;
    const rows = [...this.#rows].map(([name, { counts, busy }]) => ({
      name,
      counts: Array.from(counts.subarray(0, columns)),
      busyUs: Array.from(busy.subarray(0, columns), (us) => Math.round(us * 1000) / 1000),
    }));
    return { startUs: columns === 0 ? 0 : this.#startUs, columnUs: this.#columnUs, columns, rows };
  }

  #row(name: string): Row {
    let row = this.#rows.get(name);
    if (row === undefined) {
      if (this.#rows.size >= MAX_ROWS && name !== OTHERS) return this.#row(OTHERS);
      row = { counts: new Float64Array(COLUMNS), busy: new Float64Array(COLUMNS) };
      this.#rows.set(name, row);
    }
    return row;
  }

  #widen(): void {
    this.#columnUs *= 2;
    for (const { counts, busy } of this.#rows.values()) {
      for (const column of [counts, busy]) {
        for (let i = 0; i < COLUMNS / 2; i++) column[i] = column[2 * i]! + column[2 * i + 1]!;
        column.fill(0, COLUMNS / 2);
      }
    }
  }
}

const OTHERS = 'others';
