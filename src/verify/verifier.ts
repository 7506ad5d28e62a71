/**
 * Runs random instructions on two engines, many at a time; differences are examined one by one.
 *
 * @module
 */
import type { Engine } from '../engine/contract/index.js';
import { type Opcode, opcodes, type Random } from '../isa/index.js';
import { randomNumbers } from '../random.js';
import { assemble } from './blocks.js';
import { agree, type Difference, dataOf, fieldsOf, textOf } from './compare.js';
import { whyKnown, whyUntried } from './differences.js';
import { DATA_SIZE, type Mode, type ModeName, modes } from './modes.js';
import { Side } from './side.js';
import { type Test, TestMaker } from './tests.js';
import { fillData } from './vectors.js';
import { type Vendors, whyByVendor } from './vendors.js';

/** After this many refusals, an instruction is not tried any more. */
const REFUSALS = 20;

export interface VerifierOptions {
  /** The engine that is checked. */
  engine: Engine;
  /** The reference; without it, tests only run. */
  oracle?: Engine;
  mode: ModeName;
  /** The same seed gives the same tests. */
  seed: number;
  /** Only instructions of this name. */
  only?: string;
  /** The vendors of the two processors. Default: both Intel, so that vendors explain no difference. */
  vendors?: Vendors;
}

/** Differences of one kind: the same instruction, and the same differing fields. */
export interface Found {
  mnemonic: string;
  fields: string;
  count: number;
  first: Difference;
}

/** The results so far. */
export interface VerifierReport {
  mode: ModeName;
  seed: number;
  /** How many tests ran, and how many of them could be compared. */
  tests: number;
  compared: number;
  /** How many tests the oracle does not support, by mnemonic. */
  refused: Map<string, number>;
  /** How many rows of the opcode table were tried. */
  rows: number;
  found: Found[];
  /** Differences with a known reason. */
  known: Map<string, number>;
  /** Milliseconds of the two engines, and in total. */
  engineMs: number;
  oracleMs: number;
  elapsedMs: number;
}

export class Verifier implements Disposable {
  readonly report: VerifierReport;
  readonly mode: Mode;
  readonly #side: Side;
  readonly #oracle: Side | undefined;
  #rows: readonly Opcode[];
  readonly #tried = new Set<Opcode>();
  readonly #maker: TestMaker;
  readonly #random: Random;
  readonly #data = new Uint32Array(DATA_SIZE / 4);
  readonly #vendors: Vendors | undefined;

  /** @throws RangeError where `only` is not an instruction that is tried in this mode */
  constructor({ engine, oracle, mode, seed, only, vendors }: VerifierOptions) {
    this.mode = modes[mode];
    this.#random = randomNumbers(seed);
    this.#vendors = vendors;
    this.#maker = new TestMaker(this.mode, this.#random);
    this.#rows = rowsOf(this.mode, only);
    this.#side = new Side(engine, this.mode);
    this.#oracle = oracle && new Side(oracle, this.mode);
    this.report = {
      mode,
      seed,
      tests: 0,
      compared: 0,
      refused: new Map(),
      rows: 0,
      found: [],
      known: new Map(),
      engineMs: 0,
      oracleMs: 0,
      elapsedMs: 0,
    };
  }

  /** Runs as many tests as fit into the guest, at most `most`. */
  step(most = Number.POSITIVE_INFINITY): void {
    const started = performance.now();
    const tests = this.#make(Math.min(most, this.mode.capacity));
    fillData(this.#data, this.#random);
    this.#run(tests);
    this.report.tests += tests.length;
    if (this.#oracle !== undefined) this.#compare(tests, this.#oracle);
    this.report.rows = this.#tried.size;
    this.report.elapsedMs += performance.now() - started;
  }

  #make(count: number): Test[] {
    const tests: Test[] = [];
    while (tests.length < count) {
      const row = this.#rows[this.#random(this.#rows.length)]!;
      const test = this.#maker.make(row);
      if (test === undefined) continue;
      this.#tried.add(row);
      tests.push(test);
    }
    return tests;
  }

  #run(tests: readonly Test[]): void {
    const program = assemble(this.mode, tests);
    const started = performance.now();
    this.#side.run(program, this.#data);
    const middle = performance.now();
    this.#oracle?.run(program, this.#data);
    this.report.engineMs += middle - started;
    this.report.oracleMs += performance.now() - middle;
  }

  #compare(tests: readonly Test[], oracle: Side): void {
    const { report } = this;
    const suspects: number[] = [];
    for (const [n, test] of tests.entries()) {
      if (isRefusal(oracle, n)) {
        this.#refuse(test.row);
        continue;
      }
      report.compared++;
      if (!agree(this.mode, test, n, this.#side, oracle)) suspects.push(n);
    }
    // The oracle did not write the results of tests that it refused, so the data differs for a known reason.
    const dataDiffers = refusals(oracle).length === 0 && dataOf(this.#data, this.#side, oracle).length > 0;
    if (suspects.length === 0 && dataDiffers) suspects.push(this.#firstCorrupting(tests, oracle));
    for (const [place, n] of suspects.entries()) this.#examine(tests, n, oracle, place === 0);
  }

  /** Counts the tests that the oracle does not support. An instruction that it refuses repeatedly is not tried any more. */
  #refuse(row: Opcode): void {
    const { refused } = this.report;
    const times = (refused.get(row.name) ?? 0) + 1;
    refused.set(row.name, times);
    if (times < REFUSALS) return;
    const others = this.#rows.filter(({ name }) => name !== row.name);
    if (others.length > 0) this.#rows = others;
  }

  /** Finds the first test after which the data differs, by running halves of the tests again. */
  #firstCorrupting(tests: readonly Test[], oracle: Side): number {
    let good = 0;
    let bad = tests.length;
    while (bad - good > 1) {
      const middle = (good + bad) >> 1;
      this.#run(tests.slice(0, middle));
      if (dataOf(this.#data, this.#side, oracle).length > 0) bad = middle;
      else good = middle;
    }
    return bad - 1;
  }

  /**
   * Runs one test again, alone; where the difference does not appear, with those before it. Only for the first difference:
   * later tests start with different data.
   */
  #examine(tests: readonly Test[], n: number, oracle: Side, isFirst: boolean): void {
    const test = tests[n]!;
    const difference =
      this.#again([test], 0, oracle) ?? (isFirst ? this.#again(tests.slice(0, n + 1), n, oracle) : undefined);
    if (difference === undefined) return;
    const because = whyKnown(difference, this.report.mode) ?? whyByVendor(difference, this.#vendors);
    if (because !== undefined) {
      this.report.known.set(because, (this.report.known.get(because) ?? 0) + 1);
      return;
    }
    const { found } = this.report;
    const mnemonic = test.row.name;
    const fields = difference.fields.join(' ');
    const seen = found.find((one) => one.mnemonic === mnemonic && one.fields === fields);
    if (seen === undefined) found.push({ mnemonic, fields, count: 1, first: difference });
    else seen.count++;
  }

  #again(tests: readonly Test[], n: number, oracle: Side): Difference | undefined {
    this.#run(tests);
    const test = tests[n]!;
    const side = this.#side;
    const fields = fieldsOf(this.mode, test, n, side, oracle);
    const data = dataOf(this.#data, side, oracle);
    if (data.length > 0) fields.push('memory');
    // After a test that the oracle refuses, its data differs.
    if (fields.length === 0 || refusals(oracle).some((one) => one <= n)) return undefined;
    const left: Difference['left'] = [side.left(n), oracle.left(n)];
    return { test, text: textOf(this.mode, test, n), fields, left, data, after: n };
  }

  [Symbol.dispose](): void {
    this.#side[Symbol.dispose]();
    this.#oracle?.[Symbol.dispose]();
  }
}

/** A KVM that emulates does not support every instruction. */
function isRefusal(oracle: Side, n: number): boolean {
  return oracle.ended.get(n)?.what === 'internalError';
}

function refusals(oracle: Side): number[] {
  return [...oracle.ended.keys()].filter((n) => isRefusal(oracle, n));
}

function rowsOf(mode: Mode, only: string | undefined): Opcode[] {
  const exist = opcodes().filter((row) => (mode.code === 64 ? !row.no64 : !row.only64));
  const rows = exist.filter((row) => whyUntried(row, mode.name) === undefined);
  if (only === undefined) return rows;
  const wanted = rows.filter((row) => row.name === only);
  if (wanted.length > 0) return wanted;
  const because = exist.filter((row) => row.name === only).map((row) => whyUntried(row, mode.name))[0];
  throw new RangeError(because ?? `the opcode table has no '${only}' for this mode`);
}
