/**
 * The speed of the software CPU, compared with KVM, v86, QEMU's TCG and the processor itself: the same programs on all of them.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseImage } from '../src/boot/index.js';
import { softEngine } from '../src/engine/soft/index.js';
import { createMachine, engineByName } from '../src/runtime/index.js';
import { median, type Row } from './measure.js';
import {
  buildNative,
  buildProgram,
  floatParts,
  mixParts,
  type Part,
  type Parts,
  type Program,
  vectorParts,
} from './programs.js';
import { missingPeer, runNative, runOurs, runTcg, runV86 } from './runners.js';

const TURNS = 3;
/** 100 million instructions in the loop; KVM gets a hundredth, since some hosts emulate its code. */
const SCALE = 100;
const GOAL_MIPS = 100;
const GOAL_INTERPRETER = 1.5;
const GOAL_EMULATED = 50;
/** Of TCG's speed: each part of the mix, and each part with floating-point numbers or vectors. */
const GOAL_PART = 0.85;
const GOAL_FLOATS = 1.5;
/** A KVM with a lower rate does not run ring 0 on the processor: it emulates, as on hosts without VMX and SVM. */
const EMULATED_MIPS = 50;
const GOAL_HELLO_MS = 2;
const GOAL_LOAD_MS = 30;

type Runner = () => Parts | Promise<Parts>;

/** Runs all runners alternately. Those that cannot run are named, and left out. */
async function inTurns(runners: Record<string, Runner>): Promise<Record<string, Parts[]>> {
  const results: Record<string, Parts[]> = {};
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [name, run] of Object.entries(runners)) {
      if (turn > 0 && results[name] === undefined) continue;
      try {
        const parts = await run();
        results[name] ??= [];
        results[name].push(parts);
      } catch (error) {
        process.stderr.write(`${name} is left out: ${(error as Error).message}\n`);
        delete results[name];
      }
    }
  }
  return results;
}

/** The sum of the parts of one run. */
function together(parts: Parts, names: readonly string[]): Part {
  const chosen = names.map((name) => {
    const part = parts.get(name);
    if (part === undefined) throw new Error(`the programs did not print '${name}'`);
    return part;
  });
  return {
    ms: chosen.reduce((sum, { ms }) => sum + ms, 0),
    checksum: chosen.map(({ checksum }) => checksum).join(),
    instructions: chosen.reduce((sum, { instructions = 0 }) => sum + instructions, 0),
  };
}

/** Million instructions per second of the median run, from the program's number of instructions. */
function mips(turns: readonly Parts[], names: readonly string[], instructions: number): number {
  return instructions / median(turns.map((parts) => together(parts, names).ms)) / 1000;
}

/** For each pair of runs: how much longer `theirs` took than `ours`. */
function timesAsFast(ours: readonly Parts[], theirs: readonly Parts[], names: readonly string[]): number {
  return median(ours.map((parts, turn) => together(theirs[turn]!, names).ms / together(parts, names).ms));
}

/** All runners must have the same result, or their times are not comparable. */
function sameChecksums(results: Record<string, Parts[]>, names: readonly string[]): void {
  const sums = Object.values(results).flatMap((turns) =>
    turns.map((parts) => together(parts, names).checksum),
  );
  if (new Set(sums).size > 1)
    throw new Error(`the checksums of ${names} differ: ${[...new Set(sums)].join(' ')}`);
}

function printParts(title: string, results: Record<string, Parts[]>, names: readonly string[]): void {
  console.log(`${title}, ms: ${''.padEnd(1)}${names.map((name) => name.padStart(14)).join('')}`);
  for (const [runner, turns] of Object.entries(results)) {
    const times = names.map((name) => median(turns.map((parts) => together(parts, [name]).ms)));
    console.log(`  ${runner.padEnd(22)}${times.map((ms) => ms.toFixed(1).padStart(14)).join('')}`);
  }
}

/** The rows of one width: the loop and the mix, for all runners. */
function compare(
  width: string,
  results: Record<string, Parts[]>,
  goals: Record<string, { least: number; parts: 'loop' | 'mix' }>,
): Row[] {
  const { soft, ...others } = results;
  if (soft === undefined) return [];
  return (['loop', 'mix'] as const).flatMap((kind) => {
    const names = kind === 'loop' ? ['loop'] : mixParts;
    sameChecksums(results, names);
    const { instructions = 0 } = together(soft[0]!, names);
    const own = mips(soft, names, instructions);
    const millions = (instructions / 1e6).toFixed(0);
    const first: Row = {
      name: `${kind}, ${width}, ${millions} M instructions`,
      unit: 'MIPS',
      terrarium: own,
    };
    if (kind === 'mix') Object.assign(first, { goal: `≥ ${GOAL_MIPS} MIPS`, holds: own >= GOAL_MIPS });
    const rows = Object.entries(others).map(([name, turns]): Row => {
      const ratio = timesAsFast(soft, turns, names);
      const goal = goals[name];
      return {
        name: `${kind}, ${width}`,
        unit: 'MIPS',
        terrarium: own,
        control: { name, value: mips(turns, names, instructions) },
        ratio,
        ...(goal?.parts === kind && { goal: `≥ ${goal.least} times`, holds: ratio >= goal.least }),
      };
    });
    return [first, ...rows];
  });
}

/** A row for each part: how much longer TCG took. */
function besideTcg(
  width: string,
  results: Record<string, Parts[]>,
  parts: readonly string[],
  least: number,
): Row[] {
  const { soft, 'QEMU TCG': tcg } = results;
  if (soft === undefined || tcg === undefined) return [];
  sameChecksums({ soft, tcg }, parts);
  return parts.map((part) => {
    const { instructions = 0 } = together(soft[0]!, [part]);
    const ratio = timesAsFast(soft, tcg, [part]);
    return {
      name: `${part}, ${width}`,
      unit: 'MIPS',
      terrarium: mips(soft, [part], instructions),
      control: { name: 'QEMU TCG', value: mips(tcg, [part], instructions) },
      ratio,
      goal: `≥ ${least} times`,
      holds: ratio >= least,
    };
  });
}

/** KVM runs a hundredth: rates are compared and not times. */
function besideKvm(soft: readonly Parts[] | undefined, program: string): Row[] {
  if (soft === undefined) return [];
  const small = runOurs('soft', program, 'long');
  let kvm: Parts;
  try {
    kvm = runOurs('kvm', program, 'long');
  } catch (error) {
    process.stderr.write(`KVM is left out: ${(error as Error).message}\n`);
    return [];
  }
  return (['loop', 'mix'] as const).map((kind) => {
    const names = kind === 'loop' ? ['loop'] : mixParts;
    const own = mips(soft, names, together(soft[0]!, names).instructions ?? 0);
    const rate = mips([kvm], names, together(small, names).instructions ?? 0);
    const emulated = rate < EMULATED_MIPS;
    return {
      name: `${kind}, 64 bits, ring 0`,
      unit: 'MIPS',
      terrarium: own,
      control: { name: `KVM on this host${emulated ? ', which emulates' : ''}`, value: rate },
      ratio: own / rate,
      ...(emulated && { goal: `≥ ${GOAL_EMULATED} times`, holds: own / rate >= GOAL_EMULATED }),
    };
  });
}

/** A 16-bit hello from creation to outcome, and the time to load the engine. */
function latencies(root: string): Row[] {
  const image = parseImage(readFileSync(path.join(root, 'guests/khw-real/khw-real.bin')), 'khw-real');
  const engine = engineByName('soft');
  const hello = () => {
    const started = performance.now();
    using machine = createMachine({ engine, image, mode: 'real', output: () => {} });
    const { kind } = machine.run();
    if (kind !== 'halted') throw new Error(`the guest ${kind}`);
    return performance.now() - started;
  };
  const load = () => {
    const started = performance.now();
    softEngine(new WebAssembly.Module(readFileSync(path.join(root, 'dist/soft.wasm'))));
    return performance.now() - started;
  };
  const helloMs = median(Array.from({ length: 50 }, hello));
  const loadMs = median(Array.from({ length: 20 }, load));
  return [
    {
      name: 'a 16-bit hello, creation to outcome',
      unit: 'ms',
      terrarium: helloMs,
      goal: `< ${GOAL_HELLO_MS} ms`,
      holds: helloMs < GOAL_HELLO_MS,
    },
    {
      name: 'loading the software engine',
      unit: 'ms',
      terrarium: loadMs,
      goal: `< ${GOAL_LOAD_MS} ms`,
      holds: loadMs < GOAL_LOAD_MS,
    },
  ];
}

export async function benchSoft(root: string): Promise<Row[]> {
  const sources = path.join(root, 'bench/programs');
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-bench-'));
  try {
    const wide = buildProgram(sources, folder, 64, SCALE);
    const narrow = buildProgram(sources, folder, 32, SCALE);
    const native = buildNative(sources, folder, SCALE);
    const qemu = missingPeer('qemu');
    const v86 = missingPeer('v86');
    for (const missing of [qemu, v86]) if (missing) process.stderr.write(`left out: ${missing}\n`);
    const in64 = await inTurns({
      soft: () => runOurs('soft', wide.direct, 'long'),
      ...(!qemu && { 'QEMU TCG': () => runTcg(wide.multiboot) }),
      'the processor itself': () => runNative(native),
    });
    const in32 = await inTurns({
      soft: () => runOurs('soft', narrow.direct, 'protected'),
      ...(!v86 && {
        'v86, interpreter': () => runV86(narrow.multiboot, false),
        'v86, JIT': () => runV86(narrow.multiboot, true),
      }),
      ...(!qemu && { 'QEMU TCG': () => runTcg(narrow.multiboot) }),
    });
    const sse = buildProgram(sources, folder, 64, SCALE, 'floats');
    const x87 = buildProgram(sources, folder, 32, SCALE, 'floats');
    const withTcg = (program: Program, mode: 'long' | 'protected') =>
      inTurns({
        soft: () => runOurs('soft', program.direct, mode),
        ...(!qemu && { 'QEMU TCG': () => runTcg(program.multiboot) }),
      });
    const inSse = await withTcg(sse, 'long');
    const inX87 = await withTcg(x87, 'protected');
    const wholeMix = ['loop', ...mixParts, 'rep-movs'];
    printParts('64 bits', in64, wholeMix);
    printParts('32 bits', in32, wholeMix);
    printParts('SSE2', inSse, [...floatParts, ...vectorParts]);
    printParts('x87', inX87, floatParts);
    return [
      ...latencies(root),
      ...besideTcg('64 bits', in64, mixParts, GOAL_PART),
      ...besideTcg('32 bits', in32, mixParts, GOAL_PART),
      ...besideTcg('SSE2', inSse, [...floatParts, ...vectorParts], GOAL_FLOATS),
      ...besideTcg('x87', inX87, floatParts, GOAL_FLOATS),
      ...compare('64 bits', in64, {}),
      ...besideKvm(in64.soft, buildProgram(sources, folder, 64, 1).direct),
      ...compare('32 bits', in32, { 'v86, interpreter': { least: GOAL_INTERPRETER, parts: 'mix' } }),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
