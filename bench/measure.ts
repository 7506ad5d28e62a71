/**
 * Measures the same work in C and in TypeScript alternately, so that changes of the machine's speed affect both. The
 * result is the median of the ratios of the pairs.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** One line of the table. */
export interface Row {
  name: string;
  /** The unit: `µs an exit`, `ms`. */
  unit: string;
  terrarium: number;
  /** The control's value, and its name. */
  control?: { name: string; value: number };
  /** terrarium / control, the median of the pairs. */
  ratio?: number;
  /** The promise: `ratio ≤ 1.08`. */
  goal?: string;
  holds?: boolean;
  note?: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Runs both alternately, `pairs` times after one warm-up pair. */
export function inTurns(
  pairs: number,
  terrarium: () => number,
  control: () => number,
): { terrarium: number; control: number; ratio: number } {
  const ours: number[] = [];
  const theirs: number[] = [];
  terrarium();
  control();
  for (let pair = 0; pair < pairs; pair++) {
    // The order alternates, so that neither always runs on the warmer machine.
    if (pair % 2 === 0) {
      ours.push(terrarium());
      theirs.push(control());
    } else {
      theirs.push(control());
      ours.push(terrarium());
    }
  }
  return {
    terrarium: median(ours),
    control: median(theirs),
    ratio: median(ours.map((value, pair) => value / theirs[pair]!)),
  };
}

/** The C control, compiled for this run. */
export class Floor implements Disposable {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'terrarium-bench-'));
  readonly #program = path.join(this.#folder, 'floor');

  constructor(source: string) {
    execFileSync('gcc', ['-O2', '-Wall', '-o', this.#program, source], { stdio: ['ignore', 2, 2] });
  }

  /** Runs one command of the program and returns the number it prints. */
  run(...args: (string | number)[]): number {
    return Number(execFileSync(this.#program, args.map(String), { encoding: 'utf8' }));
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export function printTable(rows: readonly Row[]): void {
  const lines = rows.map((row) => [
    row.name,
    `${row.terrarium.toPrecision(4)} ${row.unit}`,
    row.control === undefined ? '' : `${row.control.value.toPrecision(4)} (${row.control.name})`,
    row.ratio === undefined ? '' : row.ratio.toFixed(3),
    row.goal ?? '',
    row.holds === undefined ? '' : row.holds ? 'holds' : 'MISSED',
    row.note ?? '',
  ]);
  const table = [['', 'terrarium', 'control', 'ratio', 'goal', '', ''], ...lines];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
  for (const line of table) {
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
  }
}
