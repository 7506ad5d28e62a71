/** Random instructions, interpreted and translated: all their results are the same. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { softEngine, type TranslateMode } from '../../src/engine/soft/index.js';
import { opcodes } from '../../src/isa/index.js';
import { randomNumbers } from '../../src/random.js';
import { assemble, instructionOf } from '../../src/verify/blocks.js';
import { whyUntried } from '../../src/verify/differences.js';
import { DATA_SIZE, type ModeName, modeNames, modes } from '../../src/verify/modes.js';
import { Side } from '../../src/verify/side.js';
import { type Test, TestMaker } from '../../src/verify/tests.js';
import { fillData } from '../../src/verify/vectors.js';
import { root } from '../support.js';

const file = path.join(root, 'dist/soft.wasm');
const program = new WebAssembly.Module(readFileSync(file));
const engine = (mode: TranslateMode) =>
  softEngine(program, undefined, { mode, bytes: () => readFileSync(file) });

/** Runs of the same program: the first finds the blocks, the later ones are translated. */
const RUNS = 3;
/** Translating all of it at once takes long on a busy host. */
const TIMEOUT_MS = 120_000;
const PROGRAMS = Number(process.env.TERRARIUM_SOAK ?? 40);

function makeTests(mode: ModeName, random: ReturnType<typeof randomNumbers>, count: number): Test[] {
  const maker = new TestMaker(modes[mode], random);
  const rows = opcodes().filter((row) => whyUntried(row, mode) === undefined);
  const tests: Test[] = [];
  while (tests.length < count) {
    const made = maker.make(rows[random(rows.length)]!);
    if (made !== undefined) tests.push(made);
  }
  return tests;
}

for (const [index, name] of modeNames.entries()) {
  test(`random instructions in ${name} mode have the same results interpreted and translated`, () => {
    const mode = modes[name];
    const random = randomNumbers(11 + index);
    using interpreted = new Side(engine('off'), mode, TIMEOUT_MS);
    using translated = new Side(engine('eager'), mode, TIMEOUT_MS);
    const data = new Uint32Array(DATA_SIZE / 4);
    for (let turn = 0; turn < PROGRAMS; turn++) {
      const tests = makeTests(name, random, 25);
      const code = assemble(mode, tests);
      fillData(data, random);
      for (let run = 0; run < RUNS; run++) {
        interpreted.run(code, data);
        translated.run(code, data);
        for (const [n, { row }] of tests.entries()) {
          const what = `turn ${turn}, run ${run}, test ${n} at ${instructionOf(mode, n).toString(16)}: ${row.name} ${row.operands}`;
          assert.deepEqual(translated.left(n), interpreted.left(n), what);
        }
        assert.deepEqual(translated.data, interpreted.data, `data of turn ${turn}, run ${run}`);
      }
    }
  });
}
