/** Promises about single parts: each is measured alone, in seconds, and the best of some rounds counts. */
import { boot, parseImage } from '../src/boot/index.js';
import { ExitKind } from '../src/engine/contract/index.js';
import { realMode } from '../src/engine/soft/host/testing.js';
import { GuestMemory } from '../src/memory/index.js';
import { engineByName, hostMachine } from '../src/runtime/index.js';
import { ExitLog, formatTraceLine } from '../src/trace/index.js';
import { exitRecord } from '../src/trace/testing.js';
import { Verifier } from '../src/verify/index.js';
import { median, type Row } from './measure.js';

const LEAST_MIPS = 100;
const LINES = 60_000;
const TESTS = 5000;

const best = (rounds: number, measure: () => number) =>
  Math.max(...Array.from({ length: rounds }, () => measure()));

/**
 * A loop of simple instructions. V8 has to optimise the function that runs the operations; if it has become too large,
 * V8 optimises it badly without a message, and the CPU runs at 50 MIPS instead of 300.
 */
function loopMips(): number {
  const rounds = 2_000_000n;
  // again: ADD EAX, ECX; XOR EBX, EAX; DEC ECX; JNZ again; HLT
  using machine = realMode([0x66, 1, 0xc8, 0x66, 0x31, 0xc3, 0x66, 0x49, 0x75, 0xf6, 0xf4]);
  const { cpu } = machine;
  return best(10, () => {
    cpu.setRegisters({ ...cpu.getRegisters(), rip: 0x1000n, rcx: rounds });
    const before = cpu.instructions;
    const started = process.cpuUsage().user;
    if (cpu.run() !== ExitKind.halt) throw new Error('the loop did not end');
    return Number(cpu.instructions - before) / (process.cpuUsage().user - started);
  });
}

/** Lines of a trace's text a second. */
function textSpeed(): number {
  const log = new ExitLog();
  const exit = exitRecord({ address: 0xf1, write: true, bytes: [0x48], ripLow: 0xf0004 });
  for (let i = 0; i < LINES; i++) log.record(exit, 0, i * 0.01, i * 0.01);
  return best(5, () => {
    const started = performance.now();
    let bytes = 0;
    for (let i = 0; i < LINES; i++) bytes += formatTraceLine(log, i, ['serial']).length;
    if (bytes < LINES * 60) throw new Error('the lines are too short');
    return (LINES * 1000) / (performance.now() - started);
  });
}

/** Random instructions of `terrarium verify` a second, only on the software CPU. */
function verifySpeed(): number {
  const engine = engineByName('soft');
  return best(6, () => {
    using verifier = new Verifier({ engine, mode: 'long', seed: 1 });
    while (verifier.report.tests < TESTS) verifier.step(TESTS - verifier.report.tests);
    return (verifier.report.tests * 1000) / verifier.report.engineMs;
  });
}

/** Microseconds to write the tables of long mode. */
function tablesTime(): number {
  const halt = parseImage(new Uint8Array([0xf4]), 'halt');
  using memory = GuestMemory.create([{ address: 0, size: 16 * 1024 * 1024 }]);
  const times = Array.from({ length: 500 }, () => {
    const started = performance.now();
    boot(memory, halt, { mode: 'long' });
    return (performance.now() - started) * 1000;
  });
  return median(times);
}

/** Milliseconds until a guest's output is visible although the guest then spins: the least of some runs. */
async function seenAfter(): Promise<number> {
  // MOV AL, '!'; OUT E9h, AL; JMP to itself
  const shout = parseImage(new Uint8Array([0xb0, 0x21, 0xe6, 0xe9, 0xeb, 0xfe]), 'shout');
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 20; turn++) {
    await using machine = await hostMachine({ image: shout, mode: 'real' });
    const started = performance.now();
    const seen = new Promise<number>((resolve) =>
      machine.onOutput(() => resolve(performance.now() - started)),
    );
    const running = machine.run();
    least = Math.min(least, await seen);
    await machine.stop();
    await running;
  }
  return least;
}

export async function benchParts(): Promise<Row[]> {
  const atLeast = (name: string, unit: string, value: number, least: number): Row => ({
    name,
    unit,
    terrarium: value,
    goal: `≥ ${least.toLocaleString('en')}`,
    holds: value >= least,
  });
  const below = (name: string, unit: string, value: number, limit: number): Row => ({
    name,
    unit,
    terrarium: value,
    goal: `< ${limit}`,
    holds: value < limit,
  });
  return [
    atLeast('soft: a loop of simple instructions', 'MIPS', loopMips(), LEAST_MIPS),
    atLeast('trace: text', 'lines/s', textSpeed(), 300_000),
    atLeast('verify: the software CPU alone', 'tests/s', verifySpeed(), 20_000),
    below('boot: the tables of long mode, once warm', 'µs', tablesTime(), 100),
    below('console: printed, then an endless loop', 'ms', await seenAfter(), 20),
  ];
}
